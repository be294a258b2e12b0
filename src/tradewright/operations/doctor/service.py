"""Examine a house: run the checks one by one, and let none of them hide another.

Nothing is changed. What the session's role may not see is told as unknown.
"""

from collections.abc import Iterable

import psycopg

from tradewright.core.errors import DatabaseError, ErrorCode, TradewrightError
from tradewright.operations.doctor.model import Check, Examined, Finding, Ground, Verdict, unknown
from tradewright.postgres.refusals import is_connection_lost, translate


def examine(ground: Ground, checks: Iterable[Check]) -> list[Examined]:
    """Return what each check found, in their order.

    Raises:
        DatabaseError: the session was lost.

    """
    try:
        is_there = bool(ground.value("house_is_there"))
    except psycopg.Error as error:
        raise translate(error) from error
    return [
        Examined(check=check, finding=_found(ground, check))
        if is_there or check.of_server
        else Examined(check=check, finding=_NO_HOUSE)
        for check in checks
    ]


_NO_HOUSE = unknown(
    "there is no house to look at",
    why="The schema is not there, or this role may not look into it.",
    hint="See the check schema_there.",
)


def _found(ground: Ground, check: Check) -> Finding:
    try:
        return check.run(ground)
    except psycopg.Error as error:
        if is_connection_lost(error):
            raise translate(error) from error
        return _could_not_look(translate(error))
    except TradewrightError as error:
        return _could_not_look(error)


def _could_not_look(error: TradewrightError) -> Finding:
    if isinstance(error, DatabaseError) and error.code == ErrorCode.DATABASE_PERMISSION_DENIED:
        return unknown(
            "this role may not look",
            why=error.what,
            hint="Run the doctor as a member of the operator's role and of pg_monitor.",
        )
    return unknown("it could not be looked at", why=error.render(), hint=error.hint)


def worst(examined: Iterable[Examined]) -> Verdict:
    """Return the gravest verdict."""
    found = {one.finding.verdict for one in examined}
    order = (Verdict.FAILURE, Verdict.WARNING, Verdict.UNKNOWN)
    return next((verdict for verdict in order if verdict in found), Verdict.OK)
