"""From the elements of a table's definition to columns and constraints of the model."""

from tradewright.review.schema.catalog import Column, Constraint, ConstraintKind, Table
from tradewright.review.schema.tree import (
    column_refs,
    kind_of,
    range_name,
    strings,
    type_modifiers,
    type_name,
)
from tradewright.review.source.parser import Node
from tradewright.review.source.text import Statement

KINDS = {
    "CONSTR_PRIMARY": ConstraintKind.PRIMARY,
    "CONSTR_UNIQUE": ConstraintKind.UNIQUE,
    "CONSTR_CHECK": ConstraintKind.CHECK,
    "CONSTR_FOREIGN": ConstraintKind.FOREIGN,
    "CONSTR_EXCLUSION": ConstraintKind.EXCLUDE,
    "CONSTR_NOTNULL": ConstraintKind.NOT_NULL,
}

_NOT_NULL = frozenset({"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"})
_MAKES_NOT_NULL = frozenset({ConstraintKind.PRIMARY, ConstraintKind.NOT_NULL})
_ENFORCEABLE = frozenset({ConstraintKind.CHECK, ConstraintKind.FOREIGN})

_SUFFIXES = {
    ConstraintKind.PRIMARY: "pkey",
    ConstraintKind.UNIQUE: "key",
    ConstraintKind.CHECK: "check",
    ConstraintKind.FOREIGN: "fkey",
    ConstraintKind.EXCLUDE: "excl",
    ConstraintKind.NOT_NULL: "not_null",
}


def add_element(table: Table, statement: Statement, kind: str, inside: Node) -> None:
    """Add a column definition (with its constraints) or a table constraint to a table."""
    if kind == "ColumnDef":
        if not is_inline_index(inside):
            add_column(table, statement, inside)
    elif kind == "Constraint":
        constraint = constraint_of(table, statement, inside, ())
        if constraint is not None:
            add_constraint(table, constraint)


def is_inline_index(node: Node) -> bool:
    """Return whether a column is MySQL's `INDEX name (columns)`, which parses as a column."""
    if node.get("colname", "") not in {"index", "key"}:
        return False
    modifiers = node.get("typeName", {}).get("typmods", ())
    return any("ColumnRef" in modifier for modifier in modifiers)


def add_column(table: Table, statement: Statement, node: Node) -> Column:
    """Add a column and the constraints written behind it."""
    column = column_of(statement, node)
    table.columns[column.name] = column
    for wrapped in node.get("constraints", ()):
        inside = wrapped["Constraint"]
        constraint = constraint_of(table, statement, inside, (column.name,))
        if constraint is not None:
            add_constraint(table, constraint)
        elif inside.get("contype") == "CONSTR_ATTR_NOT_ENFORCED" and table.constraints:
            table.constraints[-1].enforced = False
    return column


def add_constraint(table: Table, constraint: Constraint) -> None:
    """Add a constraint; a primary key and a valid NOT NULL make their columns NOT NULL."""
    table.constraints.append(constraint)
    if constraint.kind in _MAKES_NOT_NULL and constraint.valid:
        for name in constraint.columns:
            if name in table.columns:
                table.columns[name].not_null = True


def column_of(statement: Statement, node: Node) -> Column:
    """Return the column that a definition describes."""
    kinds = {}
    for wrapped in node.get("constraints", ()):
        kinds[wrapped["Constraint"]["contype"]] = wrapped["Constraint"]
    name = type_name(node.get("typeName"))
    generated = kinds.get("CONSTR_GENERATED")
    return Column(
        name=node.get("colname", ""),
        type=name,
        modifiers=type_modifiers(node.get("typeName")),
        not_null=not _NOT_NULL.isdisjoint(kinds) or name.endswith("serial"),
        default=kinds.get("CONSTR_DEFAULT", {}).get("raw_expr"),
        generated=generated.get("generated_kind", "s") if generated else "",
        identity="CONSTR_IDENTITY" in kinds,
        statement=statement,
        offset=statement.place(node),
    )


def constraint_of(
    table: Table, statement: Statement, node: Node, own: tuple[str, ...]
) -> Constraint | None:
    """Return the constraint that a node describes; None for a column's NOT NULL, DEFAULT, etc."""
    kind = KINDS.get(node.get("contype", ""))
    if kind is None or (kind is ConstraintKind.NOT_NULL and own):
        return None
    columns = own or _columns(kind, node)
    if kind is ConstraintKind.CHECK:
        columns = tuple(dict.fromkeys(name for _, name in column_refs(node.get("raw_expr", {}))))
    return Constraint(
        kind=kind,
        name=node.get("conname") or _given_name(table, kind, columns),
        columns=columns,
        node=node,
        statement=statement,
        offset=statement.place(node),
        valid=not node.get("skip_validation", False),
        enforced=kind not in _ENFORCEABLE or node.get("is_enforced", False),
        target=range_name(node.get("pktable")),
        target_columns=tuple(strings(node.get("pk_attrs"))),
        on_delete=node.get("fk_del_action", "a"),
        using_index=node.get("indexname", ""),
    )


def _given_name(table: Table, kind: ConstraintKind, columns: tuple[str, ...]) -> str:
    """Return the name that PostgreSQL gives a constraint whose author gave none."""
    is_of_table = kind is ConstraintKind.PRIMARY
    is_of_table |= kind is ConstraintKind.CHECK and len(columns) > 1
    return "_".join((table.name, *(() if is_of_table else columns), _SUFFIXES[kind]))


def _columns(kind: ConstraintKind, node: Node) -> tuple[str, ...]:
    if kind is ConstraintKind.FOREIGN:
        return tuple(strings(node.get("fk_attrs")))
    if kind is ConstraintKind.EXCLUDE:
        pairs = [kind_of(e)[1].get("items", [{}]) for e in node.get("exclusions", ())]
        return tuple(kind_of(pair[0])[1].get("name", "") for pair in pairs if pair[0])
    return tuple(strings(node.get("keys")))
