"""CONCURRENTLY is used inside a transaction, where PostgreSQL refuses it.

CREATE INDEX, DROP INDEX, REINDEX and DETACH PARTITION with CONCURRENTLY commit in between, so
they fail inside a transaction block. Most runners wrap each file in one.

Instead of::

    CREATE INDEX CONCURRENTLY idx_orders_account_id ON orders (account_id);

Use::

    -- tradewright: no-transaction
    CREATE INDEX CONCURRENTLY idx_orders_account_id ON orders (account_id);

Not reported when the file tells its runner to send it outside a transaction. The words known
are those of dbmate, goose, sql-migrate, tern, Flyway, yoyo, sqlx, Atlas, graphile-migrate,
Liquibase and Tradewright. The setting `transaction` overrides what is assumed of the runner.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import list_name, option, range_name
from tradewright.review.source.parser import Node
from tradewright.review.transactions import in_transaction

_WORDS = {
    "dbmate": "-- migrate:up transaction:false",
    "goose": "-- +goose NO TRANSACTION",
    "sql-migrate": "-- +migrate Up notransaction",
    "tern": "---- tern: disable-tx ----",
    "flyway": "executeInTransaction=false in a file of the same name ending in .conf",
    "golang-migrate": "one statement per file",
    "prisma": "one statement per file",
}


def _check(context: Context, event: Event) -> Iterator[Hit]:
    node, statement = event.node, event.statement
    if not _is_concurrent(event.kind, node):
        return
    why = in_transaction(context, statement)
    if why and event.body is None:
        words = _WORDS.get(event.source.layout, "-- tradewright: no-transaction")
        message = f"{_command(event)} CONCURRENTLY fails inside a transaction, and {why}"
        advice = f"Move it to a file of its own that runs outside a transaction: {words}"
        yield Hit(statement, statement.start, message, advice, _subject(event))


def _is_concurrent(kind: str, node: Node) -> bool:
    if kind == "AT_DetachPartition":
        return bool(node.get("def", {}).get("PartitionCmd", {}).get("concurrent"))
    if kind == "ReindexStmt":
        return option(node.get("params"), "concurrently") is not None
    return bool(node.get("concurrent"))


def _command(event: Event) -> str:
    return {
        "IndexStmt": "CREATE INDEX",
        "DropStmt": "DROP INDEX",
        "ReindexStmt": "REINDEX",
        "AT_DetachPartition": "DETACH PARTITION",
    }[event.kind]


def _subject(event: Event) -> str:
    if event.kind == "DropStmt":
        return list_name(event.node["objects"][0])[1]
    return str(event.node.get("idxname") or range_name(event.node.get("relation"))[1])


RULE = Rule(
    id="concurrently-in-transaction",
    severity=Severity.CRITICAL,
    category=Category.SYNTAX,
    kinds=("IndexStmt", "DropStmt", "ReindexStmt", "AT_DetachPartition"),
    check=_check,
    downs=True,
)
