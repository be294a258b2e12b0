"""Debian's Chromium without a window, told what to do over a pipe (Chrome DevTools Protocol).

The protocol is JSON with a zero byte behind each message, on file descriptors 3 and 4: no port is
opened and no library is needed.
"""

import json
import os
import shutil
import subprocess
import zlib
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from select import select
from typing import Any

PROGRAM = shutil.which("chromium")
_SECONDS_MAX = 30
_FLAGS = (
    "--headless",
    "--no-sandbox",  # the tests may be run as root, and open no page but our own
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


@dataclass(slots=True)
class Tab:
    """One page of a browser; `faults` are what its console has reported as errors."""

    _to: int
    _from: int
    faults: list[str] = field(default_factory=list)
    _session: str = ""
    _number: int = 0
    _rest: bytes = b""
    _heard: list[dict[str, Any]] = field(default_factory=list)

    def begin(self) -> None:
        """Open the page and listen to what it reports."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: object) -> dict[str, Any]:
        """Ask the browser for something and return its answer."""
        self._number += 1
        asked: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            asked["sessionId"] = self._session
        os.write(self._to, json.dumps(asked).encode() + b"\0")
        while True:
            told = self._read()
            if told.get("id") == self._number:
                assert "error" not in told, (method, told["error"])
                result: dict[str, Any] = told["result"]
                return result
            self._note(told)

    def wait_for(self, event: str) -> None:
        """Wait until the page tells of an event that has come since the last wait."""
        while not any(told["method"] == event for told in self._heard):
            self._note(self._read())
        self._heard.clear()

    def open(self, address: str) -> None:
        """Go to an address and wait until it is loaded."""
        self._heard.clear()
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return the value of a script, which may be a promise."""
        told = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def resize(self, width: int, height: int) -> None:
        """Make the page as large as a screen."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def picture(self) -> bytes:
        """Return what is seen, as PNG."""
        return b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def _note(self, told: dict[str, Any]) -> None:
        method, facts = told.get("method", ""), told.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.faults.append(str(facts["exceptionDetails"]))
        if method == "Runtime.consoleAPICalled" and facts["type"] in {"error", "assert"}:
            self.faults.append(str(facts["args"]))
        if method == "Log.entryAdded" and facts["entry"]["level"] == "error":
            self.faults.append(str(facts["entry"]))
        if method:
            self._heard.append(told)

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select([self._from], [], [], _SECONDS_MAX)
            assert ready, f"the browser has said nothing for {_SECONDS_MAX} seconds"
            chunk = os.read(self._from, 65_536)
            assert chunk, "the browser has gone away"
            self._rest += chunk
        message, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(message)
        return told


@contextmanager
def open_tab(folder: Path) -> Iterator[Tab]:
    """Start a browser with a profile of its own and give a page of it."""
    assert PROGRAM is not None, "chromium is missing: tools/install-browser installs it"
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()
    command = [PROGRAM, *_FLAGS, f"--user-data-dir={folder}"]
    # The shell puts the pipes where the browser expects them: 3 to be told, 4 to tell.
    script = f'exec "$0" "$@" 3<&{down_read} 4>&{up_write}'
    with (
        (folder / "browser.log").open("wb") as log,
        subprocess.Popen(
            ["bash", "-c", script, *command],
            pass_fds=(down_read, up_write),
            stdout=log,
            stderr=log,
        ) as browser,
    ):
        os.close(down_read)
        os.close(up_write)
        try:
            tab = Tab(down_write, up_read)
            tab.begin()
            yield tab
            browser_end = Tab(down_write, up_read, _number=1_000_000)
            browser_end.call("Browser.close")
            browser.wait(_SECONDS_MAX)
        finally:
            browser.kill()
            os.close(down_write)
            os.close(up_read)


def distinct_rows(png: bytes) -> int:
    """Count how many rows of a picture differ, which is one or two for an empty page."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, data, width, depth = 8, b"", 0, 0
    while place < len(png):
        length = int.from_bytes(png[place : place + 4])
        kind, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            width, depth = int.from_bytes(body[:4]), {2: 3, 6: 4}[body[9]]
        if kind == b"IDAT":
            data += body
        place += length + 12
    raw, row = zlib.decompress(data), width * depth + 1
    return len({raw[start : start + row] for start in range(0, len(raw), row)})
