"""A down migration from an up migration: each statement's opposite, last one first.

What lies on an object that the file itself makes goes with that object. What cannot be taken back
(a dropped column, changed rows) is refused, because a down that only looks complete is worse.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tradewright.review.rewrite.names import quoted
from tradewright.review.rule import Context
from tradewright.review.schema.tree import list_name, range_name, strings, walk
from tradewright.review.source.parser import Node
from tradewright.review.source.statements import Reading
from tradewright.review.source.text import Statement

_HARMLESS = frozenset(
    {"SelectStmt", "VariableSetStmt", "TransactionStmt", "VacuumStmt", "ExplainStmt", "NotifyStmt"}
)
_ROWS = frozenset({"InsertStmt", "UpdateStmt", "DeleteStmt", "CopyStmt"})
_TYPES = frozenset({"CompositeTypeStmt", "CreateEnumStmt", "CreateRangeStmt"})


class Irreversible(Exception):  # noqa: N818 - never seen outside this room
    """A statement that no other statement takes back; `statement` is where it stands."""

    def __init__(self, statement: Statement, why: str) -> None:
        super().__init__(why)
        self.statement = statement
        self.why = why


@dataclass(slots=True)
class _Back:
    """The way back of one file, while its statements are read in order."""

    context: Context
    reading: Reading
    made: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)


def down_of(reading: Reading, context: Context) -> str:
    """Return the text of the down migration.

    Raises:
        Irreversible: a statement cannot be taken back.

    """
    back = _Back(context, reading)
    for statement in reading.statements:
        line = _opposite(back, statement)
        if line:
            back.lines.insert(0, line)
    return "\n".join([f"-- Takes back {reading.source.label}.", *back.lines, ""])


def _opposite(back: _Back, statement: Statement) -> str:
    form = _FORMS.get(statement.kind)
    if form is not None:
        return form(back, statement)
    if statement.kind in _HARMLESS:
        return ""
    if statement.kind in _ROWS:
        return _rows(back, statement)
    if statement.kind in _TYPES:
        return f"DROP TYPE {_made(back, *_listed(statement.node['typeName']))};"
    raise Irreversible(statement, "no statement is known that takes this back")


def _shown(schema: str, name: str) -> str:
    return f"{quoted(schema)}.{quoted(name)}" if schema else quoted(name)


def _made(back: _Back, schema: str, name: str) -> str:
    back.made.add(name)
    return _shown(schema, name)


def _listed(nodes: list[Node]) -> tuple[str, str]:
    names = strings(nodes)
    return (names[-2] if len(names) > 1 else "", names[-1])


def _is_here(back: _Back, relation: Node | None) -> bool:
    return range_name(relation)[1] in back.made


def _table(back: _Back, statement: Statement) -> str:
    node = statement.node
    schema, name = range_name(node.get("relation"))
    table = back.context.schema.table((schema, name))
    if node.get("if_not_exists") and table is not None and table.statement is not statement:
        return ""
    return f"DROP TABLE {_made(back, schema, name)};"


def _index(back: _Back, statement: Statement) -> str:
    node = statement.node
    if _is_here(back, node.get("relation")):
        return ""
    name = node.get("idxname")
    if not name:
        raise Irreversible(statement, "an index without a name cannot be dropped by name")
    schema = range_name(node.get("relation"))[0]
    how = "CONCURRENTLY " if node.get("concurrent") else ""
    return f"DROP INDEX {how}{_made(back, schema, name)};"


def _earlier(back: _Back, statement: Statement) -> Statement | None:
    """Return the statement of an earlier file, or line, that made what this one replaces."""
    found = None
    for reading in back.context.ups():
        for other in reading.statements:
            if other is statement:
                return found
            same = other.kind == statement.kind and _name_of(other) == _name_of(statement)
            found = other if same else found
    return found


def _name_of(statement: Statement) -> tuple[str, str]:
    node = statement.node
    if "funcname" in node:
        return _listed(node["funcname"])
    return range_name(node.get("view") or node.get("relation"))


def _replaceable(back: _Back, statement: Statement, drop: str) -> str:
    """Return what takes back a CREATE OR REPLACE: the text it replaced, or a drop."""
    earlier = _earlier(back, statement) if statement.node.get("replace") else None
    if earlier is None:
        return drop
    if earlier.source is back.reading.source:
        return ""
    again = re.sub(
        r"^\s*CREATE\s+(?!OR\b)", "CREATE OR REPLACE ", earlier.text, flags=re.IGNORECASE
    )
    return f"{again.strip()};"


def _function(back: _Back, statement: Statement) -> str:
    schema, name = _listed(statement.node["funcname"])
    kind = "PROCEDURE" if statement.node.get("is_procedure") else "FUNCTION"
    return _replaceable(back, statement, f"DROP {kind} {_made(back, schema, name)};")


def _view(back: _Back, statement: Statement) -> str:
    name = _made(back, *range_name(statement.node.get("view")))
    return _replaceable(back, statement, f"DROP VIEW {name};")


def _table_as(back: _Back, statement: Statement) -> str:
    into = statement.node.get("into", {}).get("rel")
    kind = "MATERIALIZED VIEW" if statement.node.get("objtype") == "OBJECT_MATVIEW" else "TABLE"
    return f"DROP {kind} {_made(back, *range_name(into))};"


def _on_table(kind: str, name_key: str, table_key: str) -> Callable[[_Back, Statement], str]:
    def form(back: _Back, statement: Statement) -> str:
        node = statement.node
        if _is_here(back, node.get(table_key)):
            return ""
        if node.get("replace"):
            raise Irreversible(statement, "what it replaced is not known")
        table = _shown(*range_name(node.get(table_key)))
        return f"DROP {kind} {quoted(node[name_key])} ON {table};"

    return form


def _named(kind: str, key: str) -> Callable[[_Back, Statement], str]:
    def form(back: _Back, statement: Statement) -> str:
        node = statement.node
        if node.get("if_not_exists") and _made_before(back, statement, key):
            return ""
        return f"DROP {kind} {_made(back, '', node[key])};"

    return form


def _made_before(back: _Back, statement: Statement, key: str) -> bool:
    for reading in back.context.ups():
        for other in reading.statements:
            if other is statement:
                return False
            if other.kind == statement.kind and other.node.get(key) == statement.node[key]:
                return True
    return False


def _sequence(back: _Back, statement: Statement) -> str:
    return f"DROP SEQUENCE {_made(back, *range_name(statement.node.get('sequence')))};"


def _domain(back: _Back, statement: Statement) -> str:
    return f"DROP DOMAIN {_made(back, *_listed(statement.node['domainname']))};"


def _alter(back: _Back, statement: Statement) -> str:
    node = statement.node
    if _is_here(back, node.get("relation")):
        return ""
    table = _shown(*range_name(node.get("relation")))
    lines = [
        _command(back, statement, wrapped["AlterTableCmd"]) for wrapped in node.get("cmds", ())
    ]
    return "\n".join(f"ALTER TABLE {table} {line};" for line in reversed(lines) if line)


def _command(back: _Back, statement: Statement, command: Node) -> str:
    kind, name = command.get("subtype", ""), quoted(command.get("name", ""))
    definition = command.get("def", {})
    if kind == "AT_AddColumn":
        return f"DROP COLUMN {quoted(definition['ColumnDef']['colname'])}"
    if kind == "AT_AddConstraint":
        return f"DROP CONSTRAINT {quoted(_constraint_name(back, statement, definition))}"
    if kind == "AT_ColumnDefault" and definition and not _had_default(back, statement, command):
        return f"ALTER COLUMN {name} DROP DEFAULT"
    plain = {
        "AT_SetNotNull": f"ALTER COLUMN {name} DROP NOT NULL",
        "AT_SetStatistics": f"ALTER COLUMN {name} SET STATISTICS DEFAULT",
        "AT_EnableRowSecurity": "DISABLE ROW LEVEL SECURITY",
        "AT_ForceRowSecurity": "NO FORCE ROW LEVEL SECURITY",
        "AT_ValidateConstraint": "",
    }
    if kind not in plain:
        raise Irreversible(statement, "what the table was before is not known")
    return plain[kind]


def _constraint_name(back: _Back, statement: Statement, definition: Node) -> str:
    said = definition.get("Constraint", {}).get("conname")
    table = back.context.schema.table(range_name(statement.node.get("relation")))
    if said or table is None:
        return str(said or "")
    return next((c.name for c in table.constraints if c.statement is statement), "")


def _had_default(back: _Back, statement: Statement, command: Node) -> bool:
    table = back.context.schema.table(range_name(statement.node.get("relation")))
    column = table.columns.get(command.get("name", "")) if table is not None else None
    return column is None or column.statement is not (table.statement if table else None)


def _rename(_: _Back, statement: Statement) -> str:
    node = statement.node
    schema, table = range_name(node.get("relation"))
    old, new = quoted(node.get("subname", "")), quoted(node.get("newname", ""))
    if node.get("renameType") == "OBJECT_TABLE":
        return f"ALTER TABLE {_shown(schema, node['newname'])} RENAME TO {quoted(table)};"
    if node.get("renameType") == "OBJECT_COLUMN":
        return f"ALTER TABLE {_shown(schema, table)} RENAME COLUMN {new} TO {old};"
    raise Irreversible(statement, "what was renamed is not read")


def _spoken_of(back: _Back, statement: Statement) -> str:
    """Let a comment or a grant go with its object, when the file makes that object."""
    said = {inside.get("sval", "") for kind, inside in walk(statement.node) if kind == "String"}
    said |= {inside.get("relname", "") for kind, inside in walk(statement.node)}
    if said & back.made:
        return ""
    raise Irreversible(statement, "what was said about this object before is not known")


def _rows(back: _Back, statement: Statement) -> str:
    if _is_here(back, statement.node.get("relation")):
        return ""
    raise Irreversible(statement, "the rows of before cannot be told from those it wrote")


def _dropped(_: _Back, statement: Statement) -> str:
    names = [list_name(wrapped)[1] for wrapped in statement.node.get("objects", ())]
    raise Irreversible(statement, f"what it drops ({', '.join(names)}) cannot be made again")


_FORMS: dict[str, Callable[[_Back, Statement], str]] = {
    "CreateStmt": _table,
    "IndexStmt": _index,
    "CreateFunctionStmt": _function,
    "ViewStmt": _view,
    "CreateTableAsStmt": _table_as,
    "CreateTrigStmt": _on_table("TRIGGER", "trigname", "relation"),
    "CreatePolicyStmt": _on_table("POLICY", "policy_name", "table"),
    "RuleStmt": _on_table("RULE", "rulename", "relation"),
    "CreateSchemaStmt": _named("SCHEMA", "schemaname"),
    "CreateExtensionStmt": _named("EXTENSION", "extname"),
    "CreateSeqStmt": _sequence,
    "CreateDomainStmt": _domain,
    "AlterTableStmt": _alter,
    "RenameStmt": _rename,
    "CommentStmt": _spoken_of,
    "GrantStmt": _spoken_of,
    "DropStmt": _dropped,
}
