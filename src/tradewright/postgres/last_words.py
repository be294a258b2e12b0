"""What is said of an error that no command foresaw, where it says what to do; else it is a defect.

Imported only when something has failed: `main` stays quick.
"""

import psycopg

from tradewright.core.errors import DatabaseError, ErrorCode, StateError, TradewrightError
from tradewright.postgres.refusals import translate

_NOT_THERE = frozenset({"42P01", "42883", "3F000", "42704", "42703"})
"""SQLSTATEs of a table, function, schema, type or column that does not exist."""


def house_error(error: Exception) -> TradewrightError | None:
    """Return the house's error for what a command has raised, or None for a defect."""
    if isinstance(error, psycopg.Error):
        error = translate(error)
    if isinstance(error, TradewrightError):
        return _schema_missing(error) if _is_without_schema(error) else error
    if isinstance(error, OSError):
        return _refused_by_system(error)
    return None


def _is_without_schema(error: TradewrightError) -> bool:
    is_statement = error.code is ErrorCode.DATABASE_STATEMENT_FAILED
    return is_statement and error.facts.get("sqlstate") in _NOT_THERE


def _schema_missing(error: TradewrightError) -> DatabaseError:
    return DatabaseError(
        ErrorCode.DATABASE_SCHEMA_MISSING,
        "the database has no Tradewright schema of this release there",
        why=f"The server says: {error.what}.",
        hint="Run `tradewright migrate up`, or check --database, --schema and --keep.",
        facts=error.facts,
    )


def _refused_by_system(error: OSError) -> StateError:
    place = f' "{error.filename}"' if error.filename else ""
    return StateError(
        ErrorCode.SYSTEM_REFUSED,
        f"the system refused what was to be done{place}",
        why=f"It says: {error.strerror or error}.",
        hint="Check the file, folder, host or port that was named, and your rights there.",
        facts={"errno": error.errno} if error.errno else {},
    )
