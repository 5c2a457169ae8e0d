"""A stand-in for the Hugging Face Hub: the part of its API that its client libraries ask.

Run as `python -m tests.hub.server FOLDER`: it prints its port, then serves FOLDER on 127.0.0.1
until it is killed. Knows only the standard library. FOLDER holds

- `models/OWNER/NAME/REVISION/…` and `datasets/OWNER/NAME/REVISION/…`, the files. A test may write
  them. More about them is in `repositories.py`.
- `lfs/`, the large files that were uploaded, by their SHA-256.
- `requests.jsonl`: method, path, bytes of the body and status of every request.

A fault lasts as long as there is its file in FOLDER:

- `down`: every answer is a 503.
- `break-after`: the file holds a number N, and a connection that uploads a large file is closed
  after N bytes.
- `break-download`: the file holds a number N, and a connection that sends more is closed after N
  bytes.
- `slow`: 20,000 bytes are sent every tenth of a second.
- `break-commit`: the connection is closed when a commit is sent. Nothing has changed then, or, if
  the file holds the word `after`, the commit was made and only its answer is lost.

The tokens `hf_write` and `hf_read` belong to the user `someone`, who is in the organization `team`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub.repositories import (
    LARGE,
    Refused,
    Repository,
    blob_of,
    entry_of,
    files_in,
    in_lfs,
    inside,
)

USER, NAMESPACES = "someone", ("someone", "team")
ROLES = {"hf_write": "write", "hf_read": "read"}
ATTRIBUTES = ".gitattributes"

_REPO = r"(?P<repo>[^/]+/[^/]+)"
_API = r"/api/(?P<kind>datasets|models)/" + _REPO
_GIT = r"/((?P<kind>datasets)/)?" + _REPO.replace(")", r"?)\.git")
_REVISION = r"(?P<revision>[^/]+)"
_ROUTES = {
    "whoami": r"GET /api/whoami-v2",
    "create": r"POST /api/repos/create",
    "validate": r"POST /api/validate-yaml",
    "settings": rf"PUT {_API}/settings",
    "info": rf"GET {_API}(/revision/{_REVISION})?",
    "tree": rf"GET {_API}/tree/{_REVISION}(/(?P<path>.+))?",
    "paths": rf"POST {_API}/paths-info/{_REVISION}",
    "preupload": rf"POST {_API}/preupload/{_REVISION}",
    "commit": rf"POST {_API}/commit/{_REVISION}",
    "batch": rf"POST {_GIT}/info/lfs/objects/batch",
    "verify": rf"POST {_GIT}/info/lfs/verify",
    "receive": r"PUT /lfs/(?P<oid>[0-9a-f]{64})",
    "file": rf"GET /((?P<kind>datasets)/)?{_REPO}/resolve/{_REVISION}/(?P<path>.+)",
}
_COMMITTING = threading.Lock()


class Gone(Exception):  # noqa: N818 - it names what happened
    """The connection is closed without an answer."""


class Hub(BaseHTTPRequestHandler):
    root: Path
    received = 0

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer("GET")

    def do_HEAD(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_PUT(self) -> None:
        self._answer("PUT")

    def _answer(self, method: str) -> None:
        address = urlsplit(self.path)
        asked = {"base": f"http://{self.headers['Host']}", "query": parse_qs(address.query)}
        try:
            if not address.path.startswith("/lfs/"):  # a large file is read a piece at a time
                asked["body"] = self._read(int(self.headers.get("Content-Length") or 0))
            if (self.root / "down").exists():
                raise Refused(503)
            for name, pattern in _ROUTES.items():
                if match := re.fullmatch(pattern, f"{method} {address.path}"):
                    groups = {k: unquote(v) for k, v in match.groupdict().items() if v}
                    getattr(self, f"_{name}")({"kind": "models", **asked, **groups})
                    return
            raise Refused(404, message="Sorry, we can't find the page you are looking for.")
        except Refused as refused:
            error = {"X-Error-Code": refused.code, "X-Error-Message": refused.message}
            headers = {name: value for name, value in error.items() if value} | refused.more
            self._json({"error": refused.message}, status=refused.status, headers=headers)
        except Gone:
            self._log(0)

    # who asks

    def _role(self) -> str | None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in ROLES:
            raise Refused(401, message="Invalid credentials in Authorization header")
        return ROLES.get(token)

    def _writer(self, owner: str, refusal: str) -> None:
        role = self._role()
        if role is None:
            raise Refused(401, message="Invalid username or password.")
        if role != "write":
            raise Refused(403, message="Forbidden: you must use a write token")
        if owner not in NAMESPACES:
            raise Refused(403, message=refusal)

    def _repository(self, asked: dict[str, Any], *, write: bool = False) -> Repository:
        role, owner = self._role(), asked["repo"].split("/")[0]
        folder = self.root / asked["kind"] / asked["repo"]
        seen = folder.is_dir() and (
            not Repository(folder).private or (role is not None and owner in NAMESPACES)
        )
        if not seen:
            raise Refused(404 if role else 401, "RepoNotFound", "Repository not found")
        if write and role is None:
            # The Hub sends no code here. Its client takes the answer for this one if it is https.
            raise Refused(401, "RepoNotFound", "Invalid username or password.")
        if write:
            self._writer(owner, 'Forbidden: pass "create_pr=1" to create a Pull Request')
        return Repository(folder)

    def _whoami(self, asked: dict[str, Any]) -> None:
        role = self._role()
        if role is None:
            raise Refused(401, message="Invalid username or password.")
        access = {"type": "access_token", "accessToken": {"displayName": "test", "role": role}}
        orgs = [{"type": "org", "name": name} for name in NAMESPACES if name != USER]
        self._json({"type": "user", "id": "1", "name": USER, "orgs": orgs, "auth": access})

    # repositories

    def _create(self, asked: dict[str, Any]) -> None:
        form = json.loads(asked["body"])
        kind, owner = form.get("type") or "model", form.get("organization") or USER
        self._writer(owner, f'You don\'t have the rights to create a {kind} under "{owner}"')
        repository = Repository(self.root / f"{kind}s" / owner / form["name"])
        url = f"{asked['base']}/{'datasets/' if kind == 'dataset' else ''}{repository.name}"
        if repository.folder.is_dir():
            error = {"error": f"You already created this {kind} repo", "url": url}
            self._json(error, status=409, headers={"X-Error-Message": error["error"]})
            return
        (repository.folder / "main").mkdir(parents=True)
        large = "".join(f"*{end} filter=lfs diff=lfs merge=lfs -text\n" for end in LARGE)
        (repository.folder / "main" / ATTRIBUTES).write_bytes(large.encode())
        if form.get("visibility") == "private":
            (repository.folder / "private").touch()
        self._json({"url": url, "name": repository.name, "id": "1"})

    def _settings(self, asked: dict[str, Any]) -> None:
        repository = self._repository(asked, write=True)
        mark = repository.folder / "private"
        if json.loads(asked["body"])["visibility"] == "private":
            mark.touch()
        else:
            mark.unlink(missing_ok=True)
        self._json({})

    def _info(self, asked: dict[str, Any]) -> None:
        repository = self._repository(asked)
        folder, commit = repository.revision(asked.get("revision", "main"))
        siblings = []
        for path in files_in(folder):
            entry = entry_of(path, folder)
            more = {"size": entry["size"], "blobId": entry["oid"]}
            if lfs := entry.get("lfs"):
                more["lfs"] = {**lfs, "sha256": lfs["oid"]}
            blobs = more if asked["query"].get("blobs") else {}
            siblings.append({"rfilename": entry["path"], **blobs})
        about = {"id": repository.name, "sha": commit, "private": repository.private}
        self._json({**about, "author": USER, "tags": [], "siblings": siblings})

    def _tree(self, asked: dict[str, Any]) -> None:
        folder, _ = self._repository(asked).revision(asked["revision"])
        place = inside(folder, asked.get("path", ""))
        if not place.is_dir():
            raise Refused(404, "EntryNotFound", "The path does not exist")
        recursive = asked["query"].get("recursive", [""])[0].lower() in ("1", "true")
        found = place.rglob("*") if recursive else place.glob("*")
        self._json([entry_of(path, folder) for path in sorted(found)])

    def _paths(self, asked: dict[str, Any]) -> None:
        folder, _ = self._repository(asked).revision(asked["revision"])
        paths = [inside(folder, name) for name in parse_qs(asked["body"].decode())["paths"]]
        self._json([entry_of(path, folder) for path in paths if path.exists()])

    def _file(self, asked: dict[str, Any]) -> None:
        folder, commit = self._repository(asked).revision(asked["revision"])
        path = inside(folder, asked["path"])
        repo = {"X-Repo-Commit": commit}
        if not path.is_file():
            raise Refused(404, "EntryNotFound", "Entry not found", **repo)
        blob = blob_of(path)
        etag = {"ETag": f'"{blob.sha256 or blob.oid}"'}
        if blob.sha256:
            etag |= {"X-Linked-ETag": f'"{blob.sha256}"', "X-Linked-Size": str(blob.size)}
        self._send(200, path.read_bytes(), {**repo, **etag})

    # commits

    def _validate(self, asked: dict[str, Any]) -> None:
        """The Hub checks the metadata of a card. Here only the form of two of its keys is."""
        content = json.loads(asked["body"])["content"].replace("\r\n", "\n")
        block = re.match(r"---\n(.*?)\n---\n", content, re.DOTALL)
        warnings = [] if block else [{"message": "empty or missing yaml metadata in repo card"}]
        keys = dict(re.findall(r"^(\w+): *(\S.*)$", block[1] if block else "", re.MULTILINE))
        forms = {"license": r"[a-z0-9][a-z0-9.+-]*", "language": r"[a-z]{2,3}|multilingual|code"}
        errors = [
            {"message": f'"{key}" is not valid: {keys[key]}'}
            for key, form in forms.items()
            if key in keys and not re.fullmatch(form, keys[key].strip("'\""))
        ]
        self._json({"errors": errors, "warnings": warnings}, status=400 if errors else 200)

    def _preupload(self, asked: dict[str, Any]) -> None:
        repository = self._repository(asked, write=True)
        folder, _ = repository.revision(asked["revision"])
        files = []
        for file in json.loads(asked["body"])["files"]:
            path, sample = inside(folder, file["path"]), base64.b64decode(file["sample"])
            mode = "lfs" if in_lfs(path.name, file["size"], sample) else "regular"
            answer = {"path": file["path"], "uploadMode": mode, "shouldIgnore": False}
            if path.is_file():
                answer["oid"] = blob_of(path).sha256 or blob_of(path).oid
            files.append(answer)
        self._json({"files": files})

    def _batch(self, asked: dict[str, Any]) -> None:
        self._repository(asked, write=True)
        verify = asked["base"] + self.path.replace("objects/batch", "verify")
        objects = json.loads(asked["body"])["objects"]
        for wanted in objects:
            if not (self.root / "lfs" / wanted["oid"]).exists():
                upload = f"{asked['base']}/lfs/{wanted['oid']}"
                wanted["actions"] = {"upload": {"href": upload}, "verify": {"href": verify}}
        self._json({"transfer": "basic", "objects": objects})

    def _receive(self, asked: dict[str, Any]) -> None:
        """The Hub's clients send a large file to an address that needs no token."""
        size = int(self.headers["Content-Length"])
        breaks = self.root / "break-after"
        if breaks.exists() and size > int(breaks.read_text()):
            self._read(int(breaks.read_text()))
            raise Gone
        content = self._read(size)
        if hashlib.sha256(content).hexdigest() != asked["oid"]:
            raise Refused(400, message="The content does not have this SHA-256")
        place = self.root / "lfs" / asked["oid"]
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(content)
        self._send(200, b"", {"ETag": f'"{asked["oid"]}"'})

    def _verify(self, asked: dict[str, Any]) -> None:
        self._repository(asked, write=True)
        wanted = json.loads(asked["body"])
        place = self.root / "lfs" / wanted["oid"]
        if not place.exists() or place.stat().st_size != wanted["size"]:
            raise Refused(404, message="The object was not uploaded")
        self._json({})

    def _commit(self, asked: dict[str, Any]) -> None:
        repository = self._repository(asked, write=True)
        breaks = self.root / "break-commit"
        if breaks.exists() and breaks.read_text().strip() != "after":
            raise Gone
        header, *lines = [json.loads(line) for line in asked["body"].splitlines()]
        parent = header["value"].get("parentCommit")
        with _COMMITTING:
            made = repository.commit(asked["revision"], parent, lines, self.root / "lfs")
        if breaks.exists():
            raise Gone
        url = f"{asked['base']}/{repository.name}/commit/{made}"
        self._json({"success": True, "commitOid": made, "commitUrl": url, "hookOutput": ""})

    # bytes

    def _read(self, size: int) -> bytes:
        body = self.rfile.read(size)
        self.received += len(body)
        return body

    def _json(
        self, value: Any, *, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        kind = {"Content-Type": "application/json"}
        self._send(status, json.dumps(value).encode(), {**kind, **(headers or {})})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self._log(status)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._write(body)

    def _write(self, body: bytes) -> None:
        breaks, slow = self.root / "break-download", self.root / "slow"
        if breaks.exists():
            body = body[: int(breaks.read_text())]
        for start in range(0, len(body), 20_000):
            self.wfile.write(body[start : start + 20_000])
            if slow.exists():
                time.sleep(0.1)

    def _log(self, status: int) -> None:
        line = {"method": self.command, "path": self.path, "bytes": self.received, "status": status}
        with (self.root / "requests.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    Hub.root = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()
