"""Whether a folder of migrations begins at the beginning, or changes what somebody else made.

Many folders hold only the changes since a schema that was once loaded from elsewhere. What such a
file names and no file makes is then no defect; the setting `schema` tells the review what stood.
"""

from tradewright.review.platforms import PLATFORM
from tradewright.review.rule import Context
from tradewright.review.source.statements import Reading

RUNNERS_TABLES = frozenset(
    {
        *("flyway_schema_history", "schema_version", "databasechangelog", "databasechangeloglock"),
        *("goose_db_version", "gorp_migrations", "pgmigrations", "_prisma_migrations"),
        *("_sqlx_migrations", "alembic_version", "django_migrations", "schema_migrations"),
        *("__diesel_schema_migrations", "_yoyo_migration", "atlas_schema_revisions"),
    }
)
"""Where runners keep their history: they make these tables, and no file does."""

_MAKING = frozenset({"CreateStmt", "CreateTableAsStmt", "DoStmt"})
_TAKING = frozenset({"AlterTableStmt", "IndexStmt", "UpdateStmt", "DeleteStmt", "CreateTrigStmt"})
"""Statements that need a table which is there."""


def begins_at_beginning(context: Context) -> bool:
    """Return whether the first migration, or the schema before it, makes a table.

    It is to make one before it changes one.
    """
    if "begins-at-beginning" not in context.facts:
        context.facts["begins-at-beginning"] = _makes_first(
            next(each for each in context.readings if each.source.label != PLATFORM)
        )
    return bool(context.facts["begins-at-beginning"])


def _makes_first(first: Reading) -> bool:
    if any("create table" in _words(refusal.broken.text) for refusal in first.refusals):
        return True
    for statement in first.statements:
        if statement.kind in _MAKING:
            return True
        if statement.kind in _TAKING and not statement.node.get("missing_ok"):
            return False
    return False


def _words(text: str) -> str:
    return " ".join(text.lower().split())
