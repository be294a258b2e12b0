"""A row level security policy lets everything through, or is not applied at all.

USING (true) hides nothing. Policies on a table whose row security is not enabled are not applied
at all. Both look like protection.

Instead of::

    CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (true);

Use::

    CREATE TABLE orders (id uuid PRIMARY KEY, owner text NOT NULL);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (owner = current_user);

Not reported when the policy is restrictive, is for one role, or only for SELECT.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rewrite.names import quoted_table
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import kind_of, range_name
from tradewright.review.source.parser import Node
from tradewright.review.source.text import Statement


def _check(context: Context, event: Event) -> Iterator[Hit]:
    if event.kind == "AT_DisableRowSecurity":
        if event.table is not None and event.table.row_security:
            message = f'row level security of "{event.table.full_name}" is switched off'
            advice = "Change the policies instead."
            start = event.statement.start
            yield Hit(event.statement, start, message, advice, event.table.full_name)
        return
    for reading in context.ups():
        for statement in reading.statements:
            if statement.kind == "CreatePolicyStmt":
                yield from _policy(context, statement)


def _policy(context: Context, statement: Statement) -> Iterator[Hit]:
    node = statement.node
    table = context.schema.table(range_name(node.get("table")))
    name = str(node.get("policy_name", ""))
    subject = f"{range_name(node.get('table'))[1]}:{name}"
    roles = [kind_of(role)[1].get("roletype") for role in node.get("roles", ())]
    open_to_all = node.get("qual", {}).get("A_Const", {}).get("boolval", {}).get("boolval")
    if table is not None and not table.row_security:
        message = f'policy "{name}" is never applied: row security of "{table.full_name}" is off'
        advice = "Enable it for the table."
        fix = f"ALTER TABLE {quoted_table(table)} ENABLE ROW LEVEL SECURITY;"
        yield Hit(statement, statement.start, message, advice, subject, fix)
    elif open_to_all and _is_for_all(node, roles):
        message = f'policy "{name}" lets every role see and change every row'
        yield Hit(
            statement, statement.start, message, "Say whose rows, or for which role.", subject
        )


def _is_for_all(node: Node, roles: list[str | None]) -> bool:
    permissive = bool(node.get("permissive")) and "ROLESPEC_PUBLIC" in roles
    return permissive and node.get("cmd_name") != "select"


RULE = Rule(
    id="row-security-open",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("AT_DisableRowSecurity", "schema"),
    check=_check,
    needs="model",
)
