"""The console over HTTP: the real pages on loopback over a real database, and who looks there."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPConnection
from queue import Queue
from urllib.parse import urlencode

from tests.web import key_of, new_user
from tradewright.console import open_console
from tradewright.console.model import Method
from tradewright.console.pages import PAGES
from tradewright.postgres.connect import Session
from tradewright.server.http.serving import HttpRun, run_http
from tradewright.wiring import House

ROOT = "/console"
PLAIN = [page.path for page in PAGES if page.method is Method.LOOK and "{" not in page.path]
"""The pages that are about no single thing."""

STAFF = ("dealer", "risk_officer", "payments_officer", "compliance_officer", "administrator")


class _Reader(HTMLParser):
    """Reads what tests ask of a page: its text, its forms, and what it would load or run."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.forms: dict[str, dict[str, str]] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._form: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.append((tag, named))
        if tag == "form":
            self._form = self.forms.setdefault(named.get("action", ""), {})
        if tag == "input" and named.get("type") == "hidden":
            self._form[named["name"]] = named.get("value", "")

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and what it says as a page."""

    status: int
    headers: Mapping[str, str]
    html: str
    place: str

    def read(self) -> _Reader:
        """Return the page's parts."""
        reader = _Reader()
        reader.feed(self.html)
        return reader

    @property
    def text(self) -> str:
        """Return the page's words, with single blanks."""
        return re.sub(r"\s+", " ", " ".join(self.read().text))

    @property
    def code(self) -> str:
        """Return the code of the error that the page shows."""
        found = re.search(r"<dt>Code</dt><dd><code>([A-Z_]+)</code></dd>", self.html)
        assert found is not None, self.text
        return found[1]


@dataclass(slots=True)
class Browser:
    """Somebody with a browser that keeps cookies and runs no script."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    set_cookies: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        """Send one request and follow nothing."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            sent.setdefault("content-type", "application/x-www-form-urlencoded")
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            self.set_cookies = [v for k, v in answer.getheaders() if k.lower() == "set-cookie"]
            for cookie in self.set_cookies:
                self._keep(cookie)
            told = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, told, answer.read().decode(), path)
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Open a page of the console, wherever that leads."""
        return self._followed(self.ask("GET", ROOT + path))

    def send(self, page: str, action: str, **fields: str) -> Answer:
        """Open a page, fill the form of an action in and send it, wherever that leads."""
        forms = self.get(page).read().forms
        assert ROOT + action in forms, f"{page} has no form for {action}: {sorted(forms)}"
        body = urlencode({**forms[ROOT + action], **fields})
        return self._followed(self.ask("POST", ROOT + action, body))

    def post(self, action: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send what no page has given."""
        return self.ask("POST", ROOT + action, urlencode(fields), **headers)

    def _followed(self, answer: Answer) -> Answer:
        for _ in range(3):
            if answer.status != 303:
                break
            answer = self.ask("GET", answer.headers["location"])
        return answer

    def _keep(self, cookie: str) -> None:
        name, _, value = cookie.partition(";")[0].partition("=")
        self.cookies.pop(name, None)
        if value.strip('"'):
            self.cookies[name] = value


@contextmanager
def served_console(conninfo: str, *, is_behind_tls: bool = False) -> Iterator[int]:
    """Serve the console of a database; give the port."""
    with open_console(House(conninfo, None), is_behind_tls=is_behind_tls) as console:
        stopping, told = threading.Event(), Queue[str]()
        run = HttpRun(host="127.0.0.1", port=0, sessions=2, routers=(console,))
        running = threading.Thread(target=run_http, args=(conninfo, run, told.put, stopping))
        running.start()
        try:
            yield int(told.get(timeout=30).rpartition(":")[2])
        finally:
            stopping.set()
            running.join(30)


def signed_in(port: int, session: Session, *roles: str) -> tuple[Browser, str]:
    """Let somebody with roles in; return the browser and the user's id."""
    user_id = new_user(session, *roles)
    browser = Browser(port)
    entered = browser.send("/sign-in", "/sign-in", key=key_of(session, user_id))
    assert entered.status == 200, entered.text
    assert entered.place == f"{ROOT}/"
    return browser, user_id
