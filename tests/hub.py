"""A stand-in for the Hugging Face Hub: the part of its read API that its client libraries ask.

Run as `python tests/hub.py FOLDER`: it prints its port, then serves FOLDER on 127.0.0.1 until it
is killed. FOLDER holds `datasets/OWNER/NAME/REVISION/…` and `models/OWNER/NAME/REVISION/…`; while
there is a file FOLDER/down, every answer is a 503. Knows only the standard library.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

_API = re.compile(
    r"/api/(?P<kind>datasets|models)/(?P<repo>[^/]+/[^/]+)"
    r"(/(?P<call>revision|tree|paths-info)/(?P<revision>[^/]+)(/(?P<path>.+))?)?"
)
_FILE = re.compile(r"/(datasets/)?(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<path>.+)")


class Refused(Exception):  # noqa: N818 - it names what happened
    """What the Hub says in X-Error-Code."""


class Hub(BaseHTTPRequestHandler):
    root: Path

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = unquote(urlsplit(self.path).path)
        if (self.root / "down").exists():
            self._send(503, b"", {})
            return
        try:
            if api := _API.fullmatch(path):
                folder, commit = self._folder(api["kind"], api["repo"], api["revision"] or "main")
                value = self._call(folder, commit, api, form)
                self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})
            elif file := _FILE.fullmatch(path):
                kind = "datasets" if path.startswith("/datasets/") else "models"
                folder, commit = self._folder(kind, file["repo"], file["revision"])
                self._send_file(folder / file["path"], commit)
            else:
                raise Refused("EntryNotFound")
        except Refused as refused:
            self._send(404, b"", {"X-Error-Code": str(refused)})

    def _folder(self, kind: str, repo: str, revision: str) -> tuple[Path, str]:
        """The folder of a revision (a name or a commit), and its commit."""
        here = self.root / kind / repo
        if not here.is_dir():
            raise Refused("RepoNotFound")
        commits = {
            path: hashlib.sha1(f"{repo} {path.name}".encode()).hexdigest()
            for path in here.iterdir()
        }
        for path, commit in commits.items():
            if revision in (path.name, commit):
                return path, commit
        raise Refused("RevisionNotFound")

    def _call(self, folder: Path, commit: str, api: re.Match[str], form: bytes) -> Any:
        if api["call"] in (None, "revision"):
            return {"id": api["repo"], "sha": commit, "private": False}
        if api["call"] == "tree":
            place = folder / (api["path"] or "")
            if not place.is_dir():
                raise Refused("EntryNotFound")
            query = parse_qs(urlsplit(self.path).query)
            recursive = query.get("recursive", [""])[0].lower() in ("1", "true")
            found = place.rglob("*") if recursive else place.glob("*")
            return [_entry(path, folder) for path in sorted(found)]
        asked = parse_qs(form.decode())["paths"]
        return [_entry(folder / name, folder) for name in asked if (folder / name).exists()]

    def _send_file(self, path: Path, commit: str) -> None:
        if not path.is_file():
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit})
            return
        body = path.read_bytes()
        etag = f'"{hashlib.sha1(body).hexdigest()}"'
        self._send(200, body, {"ETag": etag, "X-Repo-Commit": commit})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _entry(path: Path, folder: Path) -> dict[str, Any]:
    name = str(path.relative_to(folder))
    oid = hashlib.sha1(name.encode()).hexdigest()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": oid, "size": 0}
    return {"type": "file", "path": name, "oid": oid, "size": path.stat().st_size}


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
