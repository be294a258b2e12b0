"""Reading nodes of the parse tree: names, types, columns used, functions called."""

from collections.abc import Iterator
from typing import Any

from tradewright.review.source.parser import Node

ALIASES = {
    "int4": "integer",
    "int": "integer",
    "int8": "bigint",
    "int2": "smallint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "char",
    "decimal": "numeric",
    "serial4": "serial",
    "serial8": "bigserial",
    "serial2": "smallserial",
    "timestamptz": "timestamptz",
    "timetz": "timetz",
}


def strings(nodes: list[Node] | None) -> list[str]:
    """Return the values of a list of String nodes."""
    return [node["String"].get("sval", "") for node in nodes or () if "String" in node]


def kind_of(wrapped: Node) -> tuple[str, Node]:
    """Return the kind and the inside of a wrapped node."""
    return next(iter(wrapped.items()))


def find(node: Any, *kinds: str) -> Iterator[Node]:
    """Yield the inside of every node of the kinds below a tree."""
    pending = [node]
    while pending:
        current = pending.pop()
        if type(current) is list:
            pending.extend(reversed(current))
            continue
        for key, value in current.items():
            kind = type(value)
            if kind is dict:
                if key in kinds:
                    yield value
                pending.append(value)
            elif kind is list:
                pending.append(value)


def walk(node: Any) -> Iterator[tuple[str, Node]]:
    """Yield every wrapped node (kind, inside) below a tree, without recursion."""
    pending = [node]
    while pending:
        current = pending.pop()
        if type(current) is list:
            pending.extend(reversed(current))
            continue
        for key, value in current.items():
            kind = type(value)
            if kind is dict:
                if key[0].isupper():
                    yield key, value
                pending.append(value)
            elif kind is list:
                pending.append(value)


def written_constraints(node: Node) -> Iterator[Node]:
    """Yield every constraint that a CREATE TABLE or ALTER TABLE holds, of columns too."""
    for wrapped in node.get("tableElts", ()):
        yield from constraints_of({"def": wrapped})
    for wrapped in node.get("cmds", ()):
        yield from constraints_of(wrapped["AlterTableCmd"])


def constraints_of(command: Node) -> list[Node]:
    """Return the constraints that ADD COLUMN or ADD CONSTRAINT brings along."""
    added = command.get("def", {})
    if "Constraint" in added:
        return [added["Constraint"]]
    written = added.get("ColumnDef", {}).get("constraints", ())
    return [wrapped["Constraint"] for wrapped in written]


def type_name(node: Node | None) -> str:
    """Return the common name of a type without modifiers: `numeric`, `integer`, `uuid`."""
    if not node:
        return ""
    names = strings(node.get("names"))
    if names and names[0] == "pg_catalog":
        names = names[1:]
    name = ".".join(names).lower()
    return ALIASES.get(name, name) + ("[]" if node.get("arrayBounds") else "")


def type_modifiers(node: Node | None) -> tuple[int, ...]:
    """Return the numbers in the brackets of a type: (20, 8) of numeric(20, 8)."""
    if not node or "typmods" not in node:
        return ()
    values = []
    for modifier in node["typmods"]:
        constant = modifier.get("A_Const", {})
        if "ival" in constant:
            values.append(constant["ival"].get("ival", 0))
    return tuple(values)


def column_refs(node: Any) -> Iterator[tuple[str, str]]:
    """Yield (qualifier or empty, column) of every column reference below a tree."""
    for reference in find(node, "ColumnRef"):
        names = strings(reference.get("fields"))
        if names:
            yield (names[-2] if len(names) > 1 else "", names[-1])


def function_calls(node: Any) -> Iterator[tuple[str, Node]]:
    """Yield (name in lower case, call) of every function call below a tree."""
    for call in find(node, "FuncCall"):
        names = strings(call.get("funcname"))
        if names:
            yield names[-1].lower(), call


def constant_text(node: Node | None) -> str | None:
    """Return a string constant, looking through casts; None for anything else."""
    while node and "TypeCast" in node:
        node = node["TypeCast"].get("arg")
    if not node or "A_Const" not in node:
        return None
    value = node["A_Const"].get("sval")
    return None if value is None else str(value.get("sval", ""))


def constant_number(node: Node | None) -> float | None:
    """Return a numeric constant, looking through casts and a minus sign."""
    while node and "TypeCast" in node:
        node = node["TypeCast"].get("arg")
    if node and "A_Expr" in node and strings(node["A_Expr"].get("name")) == ["-"]:
        inner = constant_number(node["A_Expr"].get("rexpr"))
        return None if inner is None else -inner
    constant = (node or {}).get("A_Const", {})
    if "ival" in constant:
        return float(constant["ival"].get("ival", 0))
    if "fval" in constant:
        return float(constant["fval"].get("fval", "0"))
    return None


def range_name(node: Node | None) -> tuple[str, str]:
    """Return (schema or empty, name) of a RangeVar."""
    node = node or {}
    return node.get("schemaname", ""), node.get("relname", "")


def list_name(node: Node) -> tuple[str, str]:
    """Return (schema or empty, name) of an object given as a list of strings or a type name."""
    if "List" in node:
        names = strings(node["List"].get("items"))
    elif "TypeName" in node:
        names = strings(node["TypeName"].get("names"))
    elif "ObjectWithArgs" in node:
        names = strings(node["ObjectWithArgs"].get("objname"))
    else:
        names = strings([node])
    return (names[-2] if len(names) > 1 else "", names[-1] if names else "")


def option(options: list[Node] | None, name: str) -> Node | None:
    """Return the argument of a DefElem by name; an empty dict when it has no argument."""
    for wrapped in options or ():
        element = wrapped.get("DefElem", {})
        if element.get("defname") == name:
            argument: Node = element.get("arg", {})
            return argument
    return None
