"""Applying one statement to the model of the schema."""

from collections.abc import Callable

from tradewright.review.schema import alter
from tradewright.review.schema.catalog import (
    Index,
    Relation,
    Routine,
    Schema,
    Table,
    Trigger,
)
from tradewright.review.schema.define import add_element
from tradewright.review.schema.domains import create_domain, resolve_domains
from tradewright.review.schema.tree import (
    kind_of,
    list_name,
    option,
    range_name,
    strings,
    type_name,
)
from tradewright.review.source.parser import Node
from tradewright.review.source.text import Statement


def changes_model(kind: str) -> bool:
    """Return whether statements of a kind change the model."""
    return kind in _CHANGES


def apply(schema: Schema, statement: Statement) -> None:
    """Change the model as the statement would change the database."""
    change = _CHANGES.get(statement.kind)
    if change is not None:
        change(schema, statement)


def _create_table(schema: Schema, statement: Statement) -> None:
    node = statement.node
    name = schema.key(range_name(node.get("relation")))
    if name in schema.tables:
        return
    table = Table(*name, Relation.TABLE, statement)
    table.temporary = node.get("relation", {}).get("relpersistence") == "t"
    _inherit(schema, table, node.get("inhRelations", []), is_partition="partbound" in node)
    spec = node.get("partspec")
    if spec:
        elements = [kind_of(e)[1] for e in spec.get("partParams", ())]
        table.partition_columns = tuple(element.get("name", "") for element in elements)
        table.partition_strategy = spec.get("strategy", "").rpartition("_")[2].lower()
    for wrapped in node.get("tableElts", ()):
        _element(schema, table, statement, wrapped)
    resolve_domains(schema, table)
    schema.put(table)


def _element(schema: Schema, table: Table, statement: Statement, wrapped: Node) -> None:
    kind, inside = kind_of(wrapped)
    if kind == "TableLikeClause":
        like = schema.table(range_name(inside.get("relation")))
        table.columns_known = like is not None
        if like is not None:
            table.columns.update(like.columns)
    else:
        add_element(table, statement, kind, inside)


def _inherit(schema: Schema, table: Table, parents: list[Node], *, is_partition: bool) -> None:
    for wrapped in parents:
        name = schema.key(range_name(wrapped.get("RangeVar")))
        parent = schema.table(name)
        if is_partition:
            table.partition_of = name
        if parent is None:
            table.columns_known = False
            continue
        table.columns.update(parent.columns)
        if is_partition:
            table.constraints += parent.constraints
            table.indexes += [i for i in parent.indexes if i.method]


def _create_as(schema: Schema, statement: Statement) -> None:
    node = statement.node
    into = node.get("into", {})
    materialized = node.get("objtype") == "OBJECT_MATVIEW"
    name = schema.key(range_name(into.get("rel")))
    relation = Relation.MATERIALIZED_VIEW if materialized else Relation.TABLE
    _derived(schema, statement, name, relation)


def _create_view(schema: Schema, statement: Statement) -> None:
    _derived(schema, statement, schema.key(range_name(statement.node.get("view"))), Relation.VIEW)


def _derived(
    schema: Schema, statement: Statement, name: tuple[str, str], relation: Relation
) -> None:
    query = statement.node.get("query", {})
    table = Table(*name, relation, statement, columns_known=False, query=query)
    table.reads = frozenset(schema.key(range_name(r)) for r in statement.nodes("RangeVar"))
    starred = ["*"] if statement.has("A_Star") else []
    named = (strings(reference.get("fields")) for reference in statement.nodes("ColumnRef"))
    table.read_columns = frozenset([*(names[-1] for names in named if names), *starred])
    if name in schema.tables and statement.node.get("if_not_exists"):
        return
    schema.put(table)


def _create_index(schema: Schema, statement: Statement) -> None:
    node = statement.node
    table = schema.table(range_name(node.get("relation")))
    if table is None:
        return
    elements = [kind_of(e)[1] for e in node.get("indexParams", ())]
    columns = tuple(element.get("name", "") for element in elements)
    name = node.get("idxname") or f"{table.name}_{'_'.join(c or 'expr' for c in columns)}_idx"
    if node.get("if_not_exists") and any(index.name == name for index in table.indexes):
        return
    included = [kind_of(e)[1].get("name", "") for e in node.get("indexIncludingParams", ())]
    schema.own(
        table,
        Index(
            name=name,
            columns=columns,
            method=node.get("accessMethod", "btree"),
            unique=node.get("unique", False),
            where=node.get("whereClause"),
            node=node,
            statement=statement,
            include=tuple(included),
            nulls_not_distinct=node.get("nulls_not_distinct", False),
        ),
    )


def _create_function(schema: Schema, statement: Statement) -> None:
    node = statement.node
    names = strings(node.get("funcname"))
    key = schema.key(("" if len(names) < 2 else names[-2], names[-1]))
    options = node.get("options", [])
    language = option(options, "language") or {}
    settings = [
        wrapped["DefElem"]["arg"]["VariableSetStmt"].get("name", "")
        for wrapped in options
        if wrapped.get("DefElem", {}).get("defname") == "set"
    ]
    definer = option(options, "security") or {}
    body, start = _body(statement)
    schema.routines[key] = Routine(
        *key,
        language=language.get("String", {}).get("sval", "sql").lower(),
        returns=type_name(node.get("returnType")),
        arguments=_arguments(node),
        body=body,
        body_start=start,
        statement=statement,
        procedure=node.get("is_procedure", False),
        security_definer=definer.get("Boolean", {}).get("boolval", False),
        settings=frozenset(settings),
    )


def _arguments(node: Node) -> tuple[tuple[str, str], ...]:
    parameters = [kind_of(p)[1] for p in node.get("parameters", ())]
    return tuple((p.get("name", ""), type_name(p.get("argType"))) for p in parameters)


def _body(statement: Statement) -> tuple[str, int]:
    """Return the quoted body of a function or DO block and the byte where it begins."""
    key = "options" if statement.kind == "CreateFunctionStmt" else "args"
    argument = option(statement.node.get(key), "as") or {}
    texts = strings(argument.get("List", {}).get("items")) or strings([argument])
    body = texts[0] if texts else ""
    data = statement.source.data
    at = data.find(body.encode(), statement.start, statement.end) if body else -1
    return body, max(at, statement.start)


def body_of(statement: Statement) -> tuple[str, int]:
    """Return the body of a DO block and the byte where it begins."""
    return _body(statement)


def _create_trigger(schema: Schema, statement: Statement) -> None:
    node = statement.node
    schema.triggers.append(
        Trigger(
            name=node.get("trigname", ""),
            table=schema.key(range_name(node.get("relation"))),
            function=(strings(node.get("funcname")) or [""])[-1],
            before=bool(node.get("timing", 0) & 2),
            row=node.get("row", False),
            statement=statement,
        )
    )


def _create_enum(schema: Schema, statement: Statement) -> None:
    name = strings(statement.node.get("typeName"))[-1]
    schema.enums[name] = strings(statement.node.get("vals"))
    schema.types.add(name)


def _create_type(schema: Schema, statement: Statement) -> None:
    node = statement.node
    names = strings(node.get("typeName") or node.get("defnames"))
    relation = range_name(node.get("typevar"))[1]
    schema.types.update(name for name in (*names[-1:], relation) if name)


def _create_extension(schema: Schema, statement: Statement) -> None:
    schema.extensions.add(statement.node.get("extname", "").lower())


def _create_schema(schema: Schema, statement: Statement) -> None:
    name = statement.node.get("schemaname")
    if name:
        schema.schemas.add(name)


def _set(schema: Schema, statement: Statement) -> None:
    node = statement.node
    if node.get("name") != "search_path":
        return
    first = next((kind_of(a)[1] for a in node.get("args", ())), {})
    path = first.get("sval", {}).get("sval", "")
    if path and path in schema.schemas:
        schema.search_schema = path


def _comment(schema: Schema, statement: Statement) -> None:
    if statement.says("OBJECT_TABLE"):
        table = schema.table(list_name(statement.node.get("object", {})))
        if table is not None:
            table.commented = True


_CHANGES: dict[str, Callable[[Schema, Statement], None]] = {
    "CreateStmt": _create_table,
    "CreateTableAsStmt": _create_as,
    "ViewStmt": _create_view,
    "IndexStmt": _create_index,
    "CreateFunctionStmt": _create_function,
    "CreateTrigStmt": _create_trigger,
    "CreateEnumStmt": _create_enum,
    "CreateDomainStmt": create_domain,
    "CompositeTypeStmt": _create_type,
    "CreateRangeStmt": _create_type,
    "DefineStmt": _create_type,
    "CreateExtensionStmt": _create_extension,
    "CreateSchemaStmt": _create_schema,
    "VariableSetStmt": _set,
    "CommentStmt": _comment,
    "AlterTableStmt": alter.alter_table,
    "RenameStmt": alter.rename,
    "DropStmt": alter.drop,
    "AlterEnumStmt": alter.alter_enum,
    "AlterObjectSchemaStmt": alter.move,
}
