"""A real browser for the tests of pages: headless Chromium with Selenium, and without a network."""

from __future__ import annotations

import base64
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import pytest_socket
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

SIZE = (1280, 800)
POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
OPTIONS = (
    *("--headless=new", "--no-sandbox", "--no-first-run", "--hide-scrollbars", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # No name has an address, and no proxy helps.
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--no-proxy-server"),
    # WebGL without a graphics card.
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
)


def start(*options: str, logs: tuple[str, ...] = ("browser",)) -> webdriver.Chrome:
    """A browser whose page has SIZE, with further options; needs chromium and chromedriver.

    logs: what it keeps: `browser` is the console, `performance` also what pages ask for.
    """
    chrome = webdriver.ChromeOptions()
    chrome.binary_location = shutil.which("chromium") or "chromium"
    for option in (*OPTIONS, *options):
        chrome.add_argument(option)
    chrome.set_capability("goog:loggingPrefs", dict.fromkeys(logs, "ALL"))
    service = Service(executable_path=shutil.which("chromedriver") or "chromedriver")
    driver = webdriver.Chrome(options=chrome, service=service)
    size = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.set_script_timeout(60)
    return driver


def complaints(driver: webdriver.Chrome) -> list[str]:
    """Errors and warnings of the console since the last call, also of a broken policy."""
    entries = driver.get_log("browser")
    return [str(entry["message"]) for entry in entries if entry["level"] in ("WARNING", "SEVERE")]


def write_page(path: Path, *scripts: str, body: str = "") -> Path:
    """A page with inline scripts under the policy of the report: only these scripts may run."""
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    policy = POLICY.format(hashes=hashes)
    inline = "".join(f"<script>{script}</script>" for script in scripts)
    path.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        f"<title>page</title><style>body {{ margin: 0 }}</style><body>{body}{inline}",
        encoding="utf-8",
    )
    return path


def started(*, logs: tuple[str, ...] = ("browser",)) -> webdriver.Chrome:
    """The same for tests, which are skipped where there is no browser."""
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            pytest.skip(f"there is no {program} to open pages in: scripts/install-chromium")
    open_loopback()
    return start(logs=logs)


def open_loopback() -> None:
    """Selenium talks to chromedriver, which is a server on this machine."""
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="module")
def shared_driver() -> Iterator[webdriver.Chrome]:
    """One browser for the tests of a module."""
    driver = started()
    yield driver
    driver.quit()


@pytest.fixture
def driver(shared_driver: webdriver.Chrome) -> Iterator[webdriver.Chrome]:
    """A browser at an empty page; a test fails if its page leaves errors in the console."""
    open_loopback()
    shared_driver.get("about:blank")
    complaints(shared_driver)
    yield shared_driver
    assert complaints(shared_driver) == []
