"""The desk at the door: who comes, may they, is the form ours, and what the work came to.

A browser is let in with an API key and kept in by a cookie (`access`). The token of forms is a
digest of that cookie's, which only a page that was given to its holder can know.
"""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import nullcontext
from hashlib import sha256
from hmac import compare_digest
from http import HTTPStatus
from secrets import token_urlsafe
from urllib.parse import quote, urlencode

import psycopg
from psycopg_pool import ConnectionPool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tradewright import access
from tradewright.access import SESSION_COOKIE, Caller, NewSession, Scope
from tradewright.access.rates import Strangers
from tradewright.console.lookout import Lookout
from tradewright.console.menu import menu
from tradewright.console.model import TOLD, Form, Led, Method, Page, Shown, Visit, first
from tradewright.console.refusals import status_of, told_of
from tradewright.console.rendering import render
from tradewright.console.request import Asked, form_of
from tradewright.console.store import forbid_writing, of_one_moment
from tradewright.core.errors import ErrorCode, InputError, StateError, TradewrightError
from tradewright.postgres.connect import Session
from tradewright.wiring import House

SIGN_IN_COOKIE = "tradewright_sign_in"
_FORM_TOKEN = "form_token"  # noqa: S105 (a field's name)


class Desk:
    """Answers requests to a console; any number of threads at once."""

    def __init__(
        self, house: House, pool: ConnectionPool[Session], *, is_behind_tls: bool = False
    ) -> None:
        self._house = house
        self.is_behind_tls = is_behind_tls
        self._pool = pool
        self._lookout = Lookout()
        self._strangers = Strangers()

    def answer(self, page: Page, asked: Asked) -> Response:
        """Do the work of a page or a form, if its visitor may, and return what came of it."""
        caller: Caller | None = None
        try:
            with self._pool.connection() as session:
                caller = self._caller(session, asked)
                if caller is None:
                    return _to_sign_in(page, asked)
                access.require(caller, page.action)
                return self._work(page, asked, caller, session)
        except Exception as error:  # noqa: BLE001 (a defect is shown as one, and logged)
            return self._refuse(error, asked, caller)

    def _work(self, page: Page, asked: Asked, caller: Caller, session: Session) -> Response:
        is_form = page.method is Method.SEND
        form = form_of(asked) if is_form else {}
        if is_form:
            _require_ours(asked, form, SESSION_COOKIE)
        forbid_writing(session, forbids=not is_form)
        visit = Visit(
            house=self._house,
            lookout=self._lookout,
            caller=caller,
            session=session,
            path=asked.parameters,
            asked=asked.asked,
            form=form,
        )
        with nullcontext() if is_form else of_one_moment(session):
            came = page.work(visit)
        if isinstance(came, Shown):
            return self._page(came, asked, caller)
        if isinstance(came, Led):
            return RedirectResponse(f"{asked.root}{came.place}", HTTPStatus.SEE_OTHER)
        joint = "&" if "?" in came.place else "?"
        place = f"{asked.root}{came.place}{joint}done={came.what}"
        return RedirectResponse(place, HTTPStatus.SEE_OTHER)

    def show_sign_in(self, asked: Asked) -> Response:
        """Show the form that asks for a key."""
        return self._sign_in_page(asked, None)

    def sign_in(self, asked: Asked) -> Response:
        """Let a browser in that shows the key of somebody of the staff."""
        to = ""
        try:
            form = form_of(asked)
            to = first(form, "to")
            _require_ours(asked, form, SIGN_IN_COOKIE)
            with self._pool.connection() as session:
                forbid_writing(session, forbids=False)
                begun = self._begun(session, asked, first(form, "key").strip())
                access.end_session(session, asked.cookies.get(SESSION_COOKIE, ""))
                if Scope.STAFF not in begun.caller.scopes:
                    access.end_session(session, begun.token)
                    raise _no_staff(begun.caller)
        except (TradewrightError, psycopg.Error) as error:
            return self._sign_in_page(asked, told_of(error), to)
        response = RedirectResponse(_place_after(asked, to), HTTPStatus.SEE_OTHER)
        self._set_cookie(response, asked, SESSION_COOKIE, begun.token)
        response.delete_cookie(SIGN_IN_COOKIE, path="/")
        return response

    def _begun(self, session: Session, asked: Asked, key: str) -> NewSession:
        self._strangers.admit(asked.address, key)
        try:
            begun = access.start_session(session, key)
        except StateError:
            self._strangers.refused(asked.address, key)
            raise
        self._strangers.known(key)
        return begun

    def sign_out(self, asked: Asked) -> Response:
        """End a browser's session; one that has ended by itself is left all the same."""
        try:
            _require_ours(asked, form_of(asked), SESSION_COOKIE)
            with self._pool.connection() as session:
                forbid_writing(session, forbids=False)
                access.end_session(session, asked.cookies[SESSION_COOKIE])
        except (TradewrightError, psycopg.Error) as error:
            return self._refuse(error, asked, None)
        response = RedirectResponse(f"{asked.root}/sign-in", HTTPStatus.SEE_OTHER)
        response.delete_cookie(SESSION_COOKIE, path="/")
        return response

    def show_nothing(self, asked: Asked) -> Response:
        """Say that there is no such page."""
        error = InputError(
            ErrorCode.CONSOLE_PAGE_UNKNOWN,
            f'the console has no page "{asked.path}"',
            why="An address is made of a page's name and the id of what it is about.",
            hint="Go on from the overview, or search for the id.",
        )
        return self._refuse(error, asked, None)

    def refuse(self, error: TradewrightError, root: str) -> Response:
        """Show an error to whoever has sent what cannot be read."""
        return _refused(error, root)

    def _caller(self, session: Session, asked: Asked) -> Caller | None:
        """Return whose browser it is; None when it has no session or that has ended."""
        token = asked.cookies.get(SESSION_COOKIE)
        if not token:
            return None
        self._strangers.admit(asked.address, token)
        forbid_writing(session, forbids=False)
        try:
            caller = access.identify_session(session, token, is_use=not asked.looks_again)
        except StateError as error:
            if error.code is not ErrorCode.ACCESS_SESSION_REFUSED:
                raise
            self._strangers.refused(asked.address, token)
            return None
        self._strangers.known(token)
        return caller

    def _page(
        self, shown: Shown, asked: Asked, caller: Caller, status: HTTPStatus = HTTPStatus.OK
    ) -> Response:
        facts = {
            "root": asked.root,
            "here": asked.path,
            "asked": defaultdict(str, asked.asked),
            "caller": caller,
            "menu": menu(caller),
            "may": lambda action: access.may(caller, action),
            "form_token": form_token(asked.cookies[SESSION_COOKIE]),
            "now": asked.read_at,
            "told": TOLD.get(asked.asked.get("done", "")),
        }
        return _html(shown.template, {**facts, **shown.facts}, status)

    def _refuse(self, error: Exception, asked: Asked, caller: Caller | None) -> Response:
        told = told_of(error)
        if caller is None:
            return _refused(told, asked.root)
        return self._page(Shown("error.html", {"error": told}), asked, caller, status_of(told))

    def _sign_in_page(self, asked: Asked, error: TradewrightError | None, to: str = "") -> Response:
        token = asked.cookies.get(SIGN_IN_COOKIE) or token_urlsafe(32)
        facts = {
            "root": asked.root,
            "error": error,
            "form_token": form_token(token),
            "to": to or asked.asked.get("to", ""),
        }
        response = _html(
            "sign_in.html", facts, HTTPStatus.OK if error is None else status_of(error)
        )
        self._set_cookie(response, asked, SIGN_IN_COOKIE, token)
        return response

    def _set_cookie(self, response: Response, asked: Asked, name: str, value: str) -> None:
        """Give a cookie that no script reads and no other site makes a browser send."""
        response.set_cookie(
            name,
            value,
            path="/",
            secure=self.is_behind_tls or asked.is_secure,
            httponly=True,
            samesite="strict",
        )


def form_token(token: str) -> str:
    """Return what proves that a form was given to the holder of a cookie."""
    return sha256(b"tradewright form\x00" + token.encode()).hexdigest()


def _require_ours(asked: Asked, form: Form, cookie: str) -> None:
    """Refuse a form that was not given to the holder of the cookie.

    Raises:
        StateError: CONSOLE_FORM_REFUSED.

    """
    token, shown = asked.cookies.get(cookie, ""), first(form, _FORM_TOKEN)
    is_given = compare_digest(form_token(token).encode(), shown.encode())
    if token and is_given and not asked.is_from_elsewhere:
        return
    raise StateError(
        ErrorCode.CONSOLE_FORM_REFUSED,
        "the form is not one that this console has given you",
        why="Its token is missing or of another session, or another site has sent it. "
        "Nothing was changed.",
        hint="Open the page again, and send the form from there.",
    )


def _no_staff(caller: Caller) -> StateError:
    return StateError(
        ErrorCode.ACCESS_DENIED,
        f'the key of "{caller.email}" is not for the staff',
        why="The console lets in keys with the scope staff.",
        hint="Have one made with `tradewright keys create`.",
    )


def _to_sign_in(page: Page, asked: Asked) -> Response:
    place = f"{asked.root}/sign-in"
    if page.method is Method.LOOK and asked.path != "/":
        back = asked.path + (f"?{asked.query}" if asked.query else "")
        place += "?" + urlencode({"to": back}, quote_via=quote)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def _place_after(asked: Asked, wanted: str) -> str:
    """Return where to go after signing in: a page of this console and no other place."""
    is_ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return asked.root + (wanted if is_ours and wanted.isprintable() else "/")


def _refused(error: TradewrightError, root: str) -> Response:
    return _html("refused.html", {"error": error, "root": root}, status_of(error))


def _html(template: str, facts: Mapping[str, object], status: HTTPStatus) -> Response:
    response = HTMLResponse(render(template, facts), status)
    seconds = getattr(facts.get("error"), "facts", {}).get("retry_after_seconds")
    if seconds is not None:
        response.headers["Retry-After"] = str(seconds)
    return response
