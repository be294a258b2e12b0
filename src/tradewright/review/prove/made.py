"""What a statement would have brought into being: the names that others miss when it is refused."""

from collections.abc import Iterator

from tradewright.review.schema.tree import range_name, strings
from tradewright.review.source.parser import Node
from tradewright.review.source.statements import Refusal
from tradewright.review.source.text import Statement


def made_by(statement: Statement) -> list[str]:
    """Return the names (lower case) that a statement would have brought into being."""
    node, names = statement.node, []
    match statement.kind:
        case "CreateStmt" | "ViewStmt" | "CreateTableAsStmt" | "CreateSeqStmt":
            relations = (node.get(key) for key in ("relation", "view", "sequence"))
            names = [range_name(each)[1] for each in (*relations, _into(node)) if each]
        case "IndexStmt":
            names = [str(node.get("idxname", ""))]
        case "CompositeTypeStmt":
            names = [range_name(node.get("typevar"))[1]]
        case "RenameStmt":
            names = [str(node.get("newname", ""))]
        case "CreateSchemaStmt":
            names = [str(node.get("schemaname", ""))]
        case "AlterTableStmt":
            names = list(_columns_added(node))
        case kind if kind in _NAMED_BY:
            names = strings(node.get(_NAMED_BY[kind]))[-1:]
    return [name.lower() for name in names if name]


def things_made_by(statement: Statement) -> list[str]:
    """Return the names that a statement would have given to more than a part of a table."""
    return [] if statement.kind == "AlterTableStmt" else made_by(statement)


_NAMED_BY = {
    "CreateFunctionStmt": "funcname",
    "DefineStmt": "defnames",
    "CreateEnumStmt": "typeName",
    "CreateRangeStmt": "typeName",
    "CreateDomainStmt": "domainname",
}


def made_by_refusal(refusal: Refusal, repaired: list[Statement]) -> list[str]:
    """Return what a statement that no parser accepts would have made, as far as it can be read."""
    broken = refusal.broken
    names = [
        name
        for statement in repaired
        if broken.start <= statement.start < broken.end
        for name in made_by(statement)
    ]
    if refusal.routine is not None:
        names.append(refusal.routine.name.lower())
    return names or _created_word(broken.text)


_CREATED = frozenset({"table", "view", "function", "procedure", "type", "index", "schema"})
_FILLER = frozenset({"if", "not", "exists", "or", "replace", "unique", "materialized"})


def _created_word(text: str) -> list[str]:
    """Return the word behind CREATE TABLE and the like."""
    words = text[:200].replace("(", " ( ").split()
    if len(words) < 3 or words[0].lower() != "create":
        return []
    rest = [word for word in words[1:8] if word.lower() not in _FILLER]
    if len(rest) < 2 or rest[0].lower() not in _CREATED:
        return []
    return [rest[1].strip('`"').rpartition(".")[2].lower()]


def _into(node: Node) -> Node | None:
    into: Node | None = (node.get("into") or {}).get("rel")
    return into


def _columns_added(node: Node) -> Iterator[str]:
    for wrapped in node.get("cmds", ()):
        command = wrapped.get("AlterTableCmd", {})
        if command.get("subtype") == "AT_AddColumn":
            yield str(command.get("def", {}).get("ColumnDef", {}).get("colname", ""))
