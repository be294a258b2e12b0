"""ON CONFLICT names columns that no unique key covers.

PostgreSQL raises "there is no unique or exclusion constraint matching" whenever the statement is
run, inside functions too, where it shows only at run time.

Instead of::

    CREATE TABLE balances (id uuid PRIMARY KEY, user_id uuid NOT NULL, currency text NOT NULL);
    INSERT INTO balances (id, user_id, currency) VALUES (uuidv7(), uuidv7(), 'EUR')
    ON CONFLICT (user_id, currency) DO NOTHING;

Use::

    CREATE TABLE balances (id uuid PRIMARY KEY, user_id uuid NOT NULL, currency text NOT NULL,
        UNIQUE (user_id, currency));
    INSERT INTO balances (id, user_id, currency) VALUES (uuidv7(), uuidv7(), 'EUR')
    ON CONFLICT (user_id, currency) DO NOTHING;

Not reported when the target is an expression, the table is not in the files, or a partial unique
index over the columns exists and the statement gives a condition.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted, quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.catalog import ConstraintKind
from tradewright.review.schema.tree import kind_of, range_name


def _check(context: Context, event: Event) -> Iterator[Hit]:
    infer = event.node.get("onConflictClause", {}).get("infer")
    table = context.schema.table(range_name(event.node.get("relation")))
    if not infer or table is None or not table.columns_known or "conname" in infer:
        return
    elements = [kind_of(e)[1] for e in infer.get("indexElems", ())]
    columns = {element.get("name", "") for element in elements}
    if "" in columns or not columns:
        return
    keys = [set(key) for key in table.unique_keys()]
    if "whereClause" in infer:
        keys += [set(i.columns) for i in table.indexes if i.unique and i.where is not None]
    keys += [set(c.columns) for c in table.of_kind(ConstraintKind.EXCLUDE)]
    if columns not in keys:
        shown = ", ".join(element["name"] for element in elements)
        listed = ", ".join(quoted(element["name"]) for element in elements)
        message = f'ON CONFLICT ({shown}) fails: "{table.full_name}" has no unique key on it'
        advice = (
            "Add a unique constraint on exactly these columns, or name those of an existing one."
        )
        corrected = f"ALTER TABLE {quoted_table(table)} ADD UNIQUE ({listed});"
        offset = event.statement.place(event.node["onConflictClause"])
        yield Hit(
            event.statement, offset, message, advice, f"{table.full_name}({shown})", corrected
        )


RULE = Rule(
    id="on-conflict-without-unique",
    severity=Severity.CRITICAL,
    category=Category.CONSTRAINTS,
    kinds=("InsertStmt",),
    check=_check,
    needs="model",
)
