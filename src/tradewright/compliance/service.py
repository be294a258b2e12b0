"""Make a report: from one snapshot of the database, read-only, with what is known about it first.

Everything in a report is of one instant: it is read in a transaction that is repeatable read and
read-only, so it agrees with itself however long it takes, and disturbs nobody.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

import psycopg

from tradewright.compliance import store
from tradewright.compliance.model import Findings, Option, Report, Scope
from tradewright.core.errors import ErrorCode, InputError
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate


@contextmanager
def reported(session: Session, report: Report, scope: Scope) -> Iterator[Findings]:
    """Give a report's head and its rows; the rows may be taken while this is open.

    Raises:
        InputError: REPORT_OPTION_UNKNOWN, REPORT_RANGE_REVERSED, ACCOUNT_UNKNOWN, ORDER_UNKNOWN,
            PROVIDER_UNKNOWN or INSTRUMENT_UNKNOWN, and what the report itself refuses.
        DatabaseError: the server has refused or gone away.

    """
    _require_taken(report, scope)
    _require_range(scope)
    kept = session.isolation_level, session.read_only
    session.isolation_level, session.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
    try:
        with session.transaction():
            store.prepare(session)
            head = {**_head(session, report, scope)}
            store.require_there(session, scope)
            found = report.read(session, scope)
            try:
                yield Findings({**head, **found.facts}, found.rows)
            finally:
                _leave(found)
    except psycopg.Error as error:
        raise translate(error) from error
    finally:
        session.isolation_level, session.read_only = kept


def _head(session: Session, report: Report, scope: Scope) -> Mapping[str, object]:
    given = scope.given()
    return {
        "report": report.name,
        "law": report.law,
        "as_of": store.read_instant(session),
        **{str(option): given.get(option) for option in report.options},
        **store.read_seals(session),
    }


def _leave(found: Findings) -> None:
    """Close the server's cursor in its own transaction, also where not all rows were taken."""
    if isinstance(found.rows, Generator):
        found.rows.close()


def _require_taken(report: Report, scope: Scope) -> None:
    """Refuse to narrow a report by what it does not look at, rather than leave it aside."""
    for option in scope.given():
        if option not in report.options:
            raise InputError(
                ErrorCode.REPORT_OPTION_UNKNOWN,
                f"report {report.name} cannot be narrowed by {option}",
                why=f"It takes {', '.join(report.options) or 'nothing'}.",
                hint="Leave the option out.",
                facts={"report": report.name, "option": option},
            )


def _require_range(scope: Scope) -> None:
    if scope.begin is not None and scope.end is not None and scope.begin >= scope.end:
        raise InputError(
            ErrorCode.REPORT_RANGE_REVERSED,
            f"the range from {scope.begin.isoformat()} until {scope.end.isoformat()} is empty",
            why="A report covers from an instant until before a later one.",
            hint=f"Give --{Option.END} after --{Option.BEGIN}.",
            facts={"from": scope.begin, "to": scope.end},
        )
