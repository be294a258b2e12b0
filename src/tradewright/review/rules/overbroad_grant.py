"""Rights are granted to everybody, or all rights at once.

PUBLIC is every role that exists and will exist. ALL PRIVILEGES on tables includes TRUNCATE and
TRIGGER, with which a ledger can be emptied or its guards replaced.

Instead of::

    GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;

Use::

    GRANT SELECT, INSERT ON orders TO trader;

Not reported when USAGE on a schema or type, EXECUTE on a function or CONNECT is granted to
PUBLIC, or ALL is granted on a schema or a sequence.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.tree import kind_of, list_name, range_name
from tradewright.review.source.parser import Node

_HARMLESS = frozenset({"usage", "execute", "connect", "temporary"})


def _check(_: Context, event: Event) -> Iterator[Hit]:
    node = event.node
    grant = node.get("action", {}) if event.kind == "AlterDefaultPrivilegesStmt" else node
    if not grant.get("is_grant"):
        return
    roles = [kind_of(g)[1] for g in grant.get("grantees", ())]
    rights = [kind_of(p)[1].get("priv_name", "").lower() for p in grant.get("privileges", ())]
    public = any(role.get("roletype") == "ROLESPEC_PUBLIC" for role in roles)
    tables = grant.get("objtype") == "OBJECT_TABLE"
    names = _names(grant)
    if public and not (rights and set(rights) <= _HARMLESS):
        message = (
            f"{', '.join(rights).upper() or 'ALL'} on {names or 'objects'} is granted to every role"
        )
        advice = "Grant it to the role that needs it."
    elif tables and not rights:
        who = ", ".join(role.get("rolename", "") for role in roles)
        message = f'ALL on {names or "tables"} lets "{who}" TRUNCATE and replace triggers'
        advice = "Name the rights that are needed: SELECT, INSERT, UPDATE."
    else:
        return
    yield Hit(
        event.statement, event.statement.start, message, advice, names or "default privileges"
    )


def _names(grant: Node) -> str:
    objects = grant.get("objects", ())
    return ", ".join(list_name(o)[1] or range_name(o.get("RangeVar"))[1] for o in objects)


RULE = Rule(
    id="overbroad-grant",
    severity=Severity.MAJOR,
    category=Category.SECURITY,
    kinds=("GrantStmt", "AlterDefaultPrivilegesStmt"),
    check=_check,
)
