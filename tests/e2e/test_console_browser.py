"""The console in a real browser: it loads, fits, can be read, and reports no error."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cast import play
from tests.chromium import PROGRAM, Tab, distinct_rows, open_tab
from tests.console import PLAIN, ROOT, STAFF, Browser, served_console
from tests.web import key_of, new_user
from tradewright.postgres.connect import Session

ASKED = (
    *("/risk/stress?case=snb-2015", "/migrations/review?run=1", "/audit/seals?verify=1"),
    *("/orders?since=2020-01-01", "/clients?search=example"),
)
WIDTHS = (360, 1440)
CONTRAST_MIN = 4.5
"""WCAG 2.2, success criterion 1.4.3 (AA), for text of usual size."""

FAINT_TEXT = """
(() => {
  const light = (one) => {
    const part = one / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  };
  const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * light(r) + 0.7152 * light(g) + 0.0722 * light(b);
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(at).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!own || !node.checkVisibility() || node.closest(".hidden, .skip, meter, option")) continue;
    const ink = luminance(numbers(getComputedStyle(node).color));
    const paper = luminance(behind(node));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < MIN) faint.push(`${ratio.toFixed(2)}: ${node.textContent.trim()}`);
  }
  return faint;
})()
""".replace("MIN", str(CONTRAST_MIN))

if PROGRAM is None and "CI" not in os.environ:
    pytest.skip("chromium is not installed: tools/install-browser does it", allow_module_level=True)


@pytest.fixture
def console(engine_database: str, engine: Session) -> Iterator[str]:
    """Serve the console of a house with something of everything; give its address."""
    play(engine)
    with served_console(engine_database) as port:
        yield f"http://127.0.0.1:{port}{ROOT}"


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with open_tab(tmp_path) as opened:
        yield opened


def sign_in(tab: Tab, console: str, session: Session) -> None:
    key = key_of(session, new_user(session, *STAFF))
    tab.open(f"{console}/sign-in")
    tab.run(f"document.querySelector('#key').value = '{key}'")
    tab.run("document.querySelector('form').requestSubmit()")
    tab.wait_for("Page.loadEventFired")
    assert tab.run("location.pathname") == f"{ROOT}/"


def test_each_page_fits_can_be_read_and_reports_no_error(
    tab: Tab, console: str, engine: Session
) -> None:
    sign_in(tab, console, engine)
    for path in (*PLAIN, *ASKED):
        tab.open(console + path)
        assert tab.run("document.querySelector('h1').textContent"), path
        for width in WIDTHS:
            tab.resize(width, 900)
            wide = tab.run("document.documentElement.scrollWidth")
            assert wide <= width, f"{path} is {wide} wide in {width}"
            assert distinct_rows(tab.picture()) > 50, f"{path} shows nothing in {width}"
        for scheme in ("light", "dark"):
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            tab.call("Emulation.setEmulatedMedia", features=features)
            assert tab.run(FAINT_TEXT) == [], f"{path} in {scheme}"
    assert tab.faults == []


def test_a_page_looks_again_by_itself(tab: Tab, console: str, engine: Session) -> None:
    sign_in(tab, console, engine)
    tab.open(f"{console}/dealer")
    engine.execute(
        "INSERT INTO last_prices (symbol, bid, ask, quoted_at)"
        " VALUES ('EURUSD', 9.87651, 9.87652, '2026-01-13')"
        " ON CONFLICT (symbol) DO UPDATE SET bid = 9.87651, ask = 9.87652"
    )
    shown = """
    new Promise((told) => {
      const ends = Date.now() + 15000;
      const look = () => {
        const is = document.body.textContent.includes("9.87651");
        if (is || Date.now() > ends) told(is); else setTimeout(look, 100);
      };
      look();
    })
    """
    assert "9.87651" not in tab.run("document.body.textContent")
    assert tab.run(shown)
    assert tab.faults == []


def test_everything_is_done_without_script(tab: Tab, console: str, engine: Session) -> None:
    port = int(console.removesuffix(ROOT).rpartition(":")[2])
    somebody = Browser(port)  # it runs no script
    somebody.send("/sign-in", "/sign-in", key=key_of(engine, new_user(engine, *STAFF)))
    assert (
        "Halted"
        in somebody.send(
            "/dealer/halts", "/dealer/halt", scope="all", target="", mode="halted", reason="drill"
        ).text
    )
    tab.call("Emulation.setScriptExecutionDisabled", value=True)
    tab.open(f"{console}/sign-in")
    assert distinct_rows(tab.picture()) > 50
    assert tab.faults == []
