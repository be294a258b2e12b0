"""The laws of the database, held against its rows: migration 007 owns them, this reads them.

`check_laws()` in the database finds the views in the catalogue, so a law that is added there is
checked here without a change. All laws see one snapshot: this may run beside writers.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from tradewright.core.errors import ErrorCode, InternalError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.postgres.refusals import translate


@dataclass(frozen=True, slots=True)
class LawResult:
    """How many things a law was held against, how many break it, and some of those as rows."""

    checked: int
    broken: int
    examples: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class LawCheck:
    """One time that the laws were held against the database, by whom, and what came of each."""

    id: str
    began_at: datetime
    finished_at: datetime
    actor: str
    database_role: str
    law_count: int
    broken_count: int
    results: Mapping[str, LawResult]

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return (self.finished_at - self.began_at).total_seconds()


def analyze_record(connection: Session) -> None:
    """Refresh the planner's figures of the tables that the laws read whole.

    Worth it after many writes in a short time: with the figures of an empty table some laws are
    planned row by row, and take minutes for what takes a second. Needs to be done by the owner.
    """
    connection.execute(load_queries("tradewright.audit")["analyze_record"])


def check_laws(connection: Session, *, examples_max: int = 3) -> dict[str, LawResult]:
    """Hold every law against the database; results by the law's name, in its order.

    Raises:
        InternalError: INTERNAL_LAWS_DIFFER when the list of laws and their views differ.

    """
    query = load_queries("tradewright.audit")["check_laws"]
    try:
        rows = connection.execute(query, {"examples_max": examples_max}).fetchall()
    except psycopg.Error as error:
        raise translate(error) from error
    return {row[0]: LawResult(row[1], row[2], tuple(row[3])) for row in rows}


def check_and_keep_laws(
    connection: Session, *, actor: str | None = None, examples_max: int = 3
) -> dict[str, LawResult]:
    """Hold every law, and write down who has and what came of it, if the session may write that.

    The session is in autocommit, so that what was found stays whatever is done about it.

    Raises:
        InternalError: INTERNAL_LAWS_DIFFER when the list of laws and their views differ.

    """
    queries = load_queries("tradewright.audit")
    begun = connection.execute(queries["server_time"]).fetchone()
    results = check_laws(connection, examples_max=examples_max)
    may = connection.execute(queries["may_keep_law_checks"]).fetchone()
    if begun is not None and may is not None and may[0]:
        kept = {name: [one.checked, one.broken, one.examples] for name, one in results.items()}
        row = {
            "began_at": begun[0],
            "actor": actor,
            "law_count": len(results),
            "broken_count": sum(one.broken > 0 for one in results.values()),
            "results": json.dumps(kept, default=str),
        }
        connection.execute(queries["keep_law_check"], row)
    return results


def read_law_checks(
    connection: Session, *, count_max: int, passed: int = 0, check_id: str | None = None
) -> list[LawCheck]:
    """Return checks of the laws, the newest first; with `check_id` only that one."""
    asked = {"count_max": count_max, "passed": passed, "id": check_id}
    rows = connection.execute(load_queries("tradewright.audit")["law_checks"], asked)
    return [LawCheck(*(*facts, _results(kept))) for *facts, kept in rows]


def _results(kept: Mapping[str, Any]) -> Mapping[str, LawResult]:
    """Return what is kept of a check by law; jsonb keeps no order."""
    return {
        name: LawResult(checked, broken, tuple(examples))
        for name, (checked, broken, examples) in sorted(kept.items())
    }


def require_laws(results: Mapping[str, LawResult]) -> None:
    """Refuse to go on when any law is broken.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN, with one example of each broken law among its facts.

    """
    broken = {name: result for name, result in results.items() if result.broken}
    if broken:
        raise InternalError(
            ErrorCode.INTERNAL_LAW_BROKEN,
            f"{len(broken)} of {len(results)} laws are broken: {', '.join(broken)}",
            why="Rows of the database contradict each other; figures made from them are wrong.",
            hint="Stop trading on this database, keep it as it is, and report the facts below.",
            facts={name: result.examples[0] for name, result in broken.items() if result.examples},
        )
