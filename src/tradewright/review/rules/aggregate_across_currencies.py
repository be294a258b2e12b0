"""A view adds amounts of different currencies.

The sum of 100 JPY and 100 EUR is 200 of nothing. A report built on it is wrong by whatever the
exchange rate is.

Instead of::

    CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid, amount numeric(20, 8), currency text);
    CREATE VIEW totals AS
        SELECT user_id, sum(amount) AS total FROM payments GROUP BY user_id;

Use::

    CREATE TABLE payments (id uuid PRIMARY KEY, user_id uuid, amount numeric(20, 8), currency text);
    CREATE VIEW totals AS
        SELECT user_id, currency, sum(amount) AS total FROM payments GROUP BY user_id, currency;

Not reported when the query groups by a currency, names one in its condition or list, or groups by
what has one currency only (an account, a wallet).
"""

from collections.abc import Iterator

from tradewright.review.meaning import is_currency, is_money, referred_table
from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import ConstraintKind, Table
from tradewright.review.schema.tree import column_refs, find, function_calls, range_name
from tradewright.review.source.parser import Node


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if not (event.statement.says("sum") or event.statement.says("avg")):
        return
    query = event.node if event.kind == "SelectStmt" else event.node.get("query", {})
    selects = [query] if event.kind == "SelectStmt" else list(find({"q": [query]}, "SelectStmt"))
    for select in selects:
        tables = [
            context.schema.table(range_name(r))
            for r in find(select.get("fromClause", []), "RangeVar")
        ]
        if not any(t is not None and any(map(is_currency, t.columns)) for t in tables):
            continue
        named = [select.get(key, []) for key in ("groupClause", "whereClause", "targetList")]
        if any(is_currency(name) for _, name in column_refs(named)) or _by_position(select):
            continue
        if any(_fixes_currency(context, t, n) for t in tables if t for _, n in column_refs(named)):
            continue
        for call, node in function_calls(select.get("targetList", [])):
            argument = next((n for _, n in column_refs(node.get("args", [])) if is_money(n)), None)
            if call in {"sum", "avg"} and argument and "over" not in node:
                relation = event.node.get("view") or event.node.get("into", {}).get("rel", {})
                yield _hit(event, node, argument, relation.get("relname", "query"))


def _fixes_currency(context: Context, table: Table, name: str) -> bool:
    """Return whether a column points at a row that has one currency: a wallet, an account."""
    if name not in table.columns:
        return False
    if table.primary_key == (name,) and any(map(is_currency, table.columns)):
        return True
    targets = [
        context.schema.table(key.target)
        for key in table.of_kind(ConstraintKind.FOREIGN)
        if name in key.columns
    ]
    if not targets:
        targets = [referred_table(table.columns[name], context.schema)]
    return any(t is not None and any(map(is_currency, t.columns)) for t in targets)


def _by_position(select: Node) -> bool:
    """Return whether the query groups by the position of a currency in its list."""
    targets = select.get("targetList", [])
    for constant in (g.get("A_Const", {}) for g in select.get("groupClause", ())):
        position = constant.get("ival", {}).get("ival", 0)
        target = targets[position - 1 : position] if position > 0 else []
        if any(is_currency(name) for _, name in column_refs(target)):
            return True
    return False


def _hit(event: Event, node: Node, argument: str, name: str) -> Hit:
    message = f'"{name}" adds {argument} of all currencies together'
    advice = "Group by the currency too."
    return Hit(event.statement, event.statement.place(node), message, advice, f"{name}.{argument}")


RULE = Rule(
    id="aggregate-across-currencies",
    severity=Severity.MAJOR,
    category=Category.PRECISION,
    kinds=("ViewStmt", "CreateTableAsStmt", "SelectStmt"),
    check=_check,
    needs="model",
)
