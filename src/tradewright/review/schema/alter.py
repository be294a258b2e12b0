"""Applying ALTER, DROP and RENAME to the model."""

from collections.abc import Callable, Iterable

from tradewright.review.schema.catalog import (
    DEFAULT_SCHEMA,
    ConstraintKind,
    Relation,
    Schema,
    Table,
)
from tradewright.review.schema.define import add_column, add_constraint, constraint_of
from tradewright.review.schema.domains import resolve_domains
from tradewright.review.schema.tree import kind_of, list_name, range_name, type_modifiers, type_name
from tradewright.review.source.parser import Node
from tradewright.review.source.text import Source, Statement


def alter_table(schema: Schema, statement: Statement) -> None:
    """Apply every command of an ALTER TABLE."""
    table = schema.table(range_name(statement.node.get("relation")))
    if table is None:
        return
    for wrapped in statement.node.get("cmds", ()):
        command = wrapped["AlterTableCmd"]
        change = _COMMANDS.get(command.get("subtype", ""))
        if change is not None:
            change(table, statement, command)
        elif command.get("subtype") == "AT_AttachPartition":
            _attach(schema, table, command)
    resolve_domains(schema, table)


def unknown_table(statement: Statement) -> Table:
    """Return a table that no file makes, with the columns that an ALTER TABLE adds to it.

    It stands in no schema: nobody may conclude anything from what it does not have.
    """
    space, name = range_name(statement.node.get("relation"))
    table = Table(space or DEFAULT_SCHEMA, name, Relation.TABLE, _ELSEWHERE, columns_known=False)
    if statement.node.get("objtype") == "OBJECT_TABLE":
        for wrapped in statement.node.get("cmds", ()):
            if wrapped["AlterTableCmd"].get("subtype") == "AT_AddColumn":
                _add_column(table, statement, wrapped["AlterTableCmd"])
    return table


_ELSEWHERE = Statement(Source("", "", (0,), ""), "CreateStmt", "", 0, 0)
"""Where a table was made that no file makes."""


def _attach(schema: Schema, table: Table, command: Node) -> None:
    part = schema.table(range_name(command.get("def", {}).get("PartitionCmd", {}).get("name")))
    if part is not None:
        part.partition_of = (table.schema, table.name)


def _add_column(table: Table, statement: Statement, command: Node) -> None:
    definition = command["def"]["ColumnDef"]
    if definition.get("colname") not in table.columns:
        add_column(table, statement, definition)


def _drop_column(table: Table, _: Statement, command: Node) -> None:
    name = command.get("name", "")
    table.columns.pop(name, None)
    table.constraints = [c for c in table.constraints if name not in c.columns]
    table.indexes = [i for i in table.indexes if name not in i.columns]


def _change_type(table: Table, _: Statement, command: Node) -> None:
    column = table.columns.get(command.get("name", ""))
    definition = command.get("def", {}).get("ColumnDef", {})
    if column is not None:
        column.type = type_name(definition.get("typeName"))
        column.modifiers = type_modifiers(definition.get("typeName"))


def _add_constraint(table: Table, statement: Statement, command: Node) -> None:
    kind, inside = kind_of(command["def"])
    constraint = constraint_of(table, statement, inside, ()) if kind == "Constraint" else None
    if constraint is None:
        return
    if constraint.using_index:
        index = next((i for i in table.indexes if i.name == constraint.using_index), None)
        constraint.columns = index.columns if index else ()
        table.indexes = [i for i in table.indexes if i is not index]
    add_constraint(table, constraint)


def _drop_constraint(table: Table, _: Statement, command: Node) -> None:
    table.constraints = [c for c in table.constraints if c.name != command.get("name")]


def _validate(table: Table, _: Statement, command: Node) -> None:
    for constraint in table.constraints:
        if constraint.name == command.get("name"):
            constraint.valid = True
            if constraint.kind is ConstraintKind.NOT_NULL:
                _not_null(table, constraint.columns)


def _not_null(table: Table, names: Iterable[str]) -> None:
    for name in names:
        if name in table.columns:
            table.columns[name].not_null = True


def _set_not_null(table: Table, _: Statement, command: Node) -> None:
    column = table.columns.get(command.get("name", ""))
    if column is not None:
        column.not_null = command.get("subtype") == "AT_SetNotNull"


def _set_default(table: Table, _: Statement, command: Node) -> None:
    column = table.columns.get(command.get("name", ""))
    if column is not None:
        column.default = command.get("def")


def _row_security(table: Table, _: Statement, command: Node) -> None:
    table.row_security = command.get("subtype") != "AT_DisableRowSecurity"


_COMMANDS: dict[str, Callable[[Table, Statement, Node], None]] = {
    "AT_AddColumn": _add_column,
    "AT_DropColumn": _drop_column,
    "AT_AlterColumnType": _change_type,
    "AT_AddConstraint": _add_constraint,
    "AT_DropConstraint": _drop_constraint,
    "AT_ValidateConstraint": _validate,
    "AT_SetNotNull": _set_not_null,
    "AT_DropNotNull": _set_not_null,
    "AT_ColumnDefault": _set_default,
    "AT_EnableRowSecurity": _row_security,
    "AT_DisableRowSecurity": _row_security,
    "AT_ForceRowSecurity": _row_security,
}


def rename(schema: Schema, statement: Statement) -> None:
    """Apply a RENAME of a table, column, constraint or index."""
    node = statement.node
    kind, new = node.get("renameType"), node.get("newname", "")
    table = schema.table(range_name(node.get("relation")))
    if kind == "OBJECT_INDEX":
        found = schema.index(range_name(node.get("relation"))[1])
        if found:
            found[1].name = new
            schema.index_owners[new] = found[0]
    elif table is None:
        return
    elif kind in {"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW"}:
        schema.remove(table)
        table.name = new
        schema.put(table)
    elif kind == "OBJECT_COLUMN":
        _rename_column(table, node.get("subname", ""), new)
    elif kind == "OBJECT_TABCONSTRAINT":
        for constraint in table.constraints:
            if constraint.name == node.get("subname"):
                constraint.name = new


def _rename_column(table: Table, old: str, new: str) -> None:
    column = table.columns.pop(old, None)
    if column is None:
        return
    column.name = new
    table.columns[new] = column
    for constraint in table.constraints:
        constraint.columns = tuple(new if name == old else name for name in constraint.columns)
    for index in table.indexes:
        index.columns = tuple(new if name == old else name for name in index.columns)


def drop(schema: Schema, statement: Statement) -> None:
    """Apply a DROP of anything that the model knows."""
    node = statement.node
    for wrapped in node.get("objects", ()):
        name = list_name(wrapped)
        _DROPS.get(node.get("removeType", ""), _drop_nothing)(schema, name, statement)


def _drop_nothing(schema: Schema, name: tuple[str, str], statement: Statement) -> None:
    """Leave the model as it is: it does not know this kind of object."""


def _drop_table(schema: Schema, name: tuple[str, str], statement: Statement) -> None:
    table = schema.table(name)
    if table is None:
        return
    key = (table.schema, table.name)
    schema.remove(table)
    schema.dropped[key] = statement
    schema.triggers = [t for t in schema.triggers if t.table != key]
    for other in schema.tables.values():
        other.constraints = [
            c
            for c in other.constraints
            if c.kind is not ConstraintKind.FOREIGN or schema.key(c.target) != key
        ]


def _drop_index(schema: Schema, name: tuple[str, str], _: Statement) -> None:
    found = schema.index(name[1])
    if found:
        found[0].indexes.remove(found[1])


def _drop_routine(schema: Schema, name: tuple[str, str], _: Statement) -> None:
    schema.routines.pop(schema.key(name), None)


def _drop_type(schema: Schema, name: tuple[str, str], _: Statement) -> None:
    schema.types.discard(name[1])
    schema.enums.pop(name[1], None)


def _drop_trigger(schema: Schema, name: tuple[str, str], _: Statement) -> None:
    table = schema.table(("", name[0]))
    key = (table.schema, table.name) if table else ("", "")
    schema.triggers = [t for t in schema.triggers if (t.table, t.name) != (key, name[1])]


_DROPS: dict[str, Callable[[Schema, tuple[str, str], Statement], None]] = {
    "OBJECT_TABLE": _drop_table,
    "OBJECT_VIEW": _drop_table,
    "OBJECT_MATVIEW": _drop_table,
    "OBJECT_INDEX": _drop_index,
    "OBJECT_FUNCTION": _drop_routine,
    "OBJECT_PROCEDURE": _drop_routine,
    "OBJECT_TYPE": _drop_type,
    "OBJECT_DOMAIN": _drop_type,
    "OBJECT_TRIGGER": _drop_trigger,
}


def alter_enum(schema: Schema, statement: Statement) -> None:
    """Add or rename a value of an enum."""
    node = statement.node
    names = [n["String"].get("sval", "") for n in node.get("typeName", ())]
    values = schema.enums.get(names[-1] if names else "", [])
    new, old = node.get("newVal", ""), node.get("oldVal")
    if old in values:
        values[values.index(old)] = new
    elif new not in values:
        values.append(new)


def move(schema: Schema, statement: Statement) -> None:
    """Apply ALTER TABLE ... SET SCHEMA."""
    table = schema.table(range_name(statement.node.get("relation")))
    if table is not None and statement.node.get("newschema"):
        schema.remove(table)
        table.schema = statement.node["newschema"]
        schema.put(table)
