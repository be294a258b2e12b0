"""The laws of the database, held against its rows: migration 007 owns them, this reads them.

`check_laws()` in the database finds the views in the catalogue, so a law that is added there is
checked here without a change. All laws see one snapshot: this may run beside writers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
