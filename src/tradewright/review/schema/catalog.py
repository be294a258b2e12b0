"""The objects of a schema as far as the files have built it: what a reviewer keeps in mind.

These values grow while files are read, so unlike the rest of the house they are mutable; only
`build` changes them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from tradewright.review.source.parser import Node
from tradewright.review.source.text import Statement

DEFAULT_SCHEMA = "public"

SYSTEM_SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_temp", "pg_toast"})


class Relation(StrEnum):
    """What a name in a FROM clause stands for."""

    TABLE = "table"
    VIEW = "view"
    MATERIALIZED_VIEW = "materialized view"


class ConstraintKind(StrEnum):
    """The kinds of constraints that rules ask about."""

    PRIMARY = "primary key"
    UNIQUE = "unique"
    CHECK = "check"
    FOREIGN = "foreign key"
    EXCLUDE = "exclusion"
    NOT_NULL = "not null"


UNIQUE_KINDS = frozenset({ConstraintKind.PRIMARY, ConstraintKind.UNIQUE})


@dataclass(slots=True, eq=False, repr=False)
class Column:
    """A column with its type in common words."""

    name: str
    type: str
    modifiers: tuple[int, ...]
    not_null: bool
    default: Node | None
    generated: str
    identity: bool
    statement: Statement
    offset: int

    @property
    def type_text(self) -> str:
        """Return the type as written in SQL: `numeric(20, 8)`."""
        inside = ", ".join(map(str, self.modifiers))
        return f"{self.type}({inside})" if inside else self.type


@dataclass(slots=True, eq=False, repr=False)
class Constraint:
    """A constraint of a table; `columns` are its own, `target_columns` those referred to."""

    kind: ConstraintKind
    name: str
    columns: tuple[str, ...]
    node: Node
    statement: Statement
    offset: int
    valid: bool = True
    enforced: bool = True
    target: tuple[str, str] = ("", "")
    target_columns: tuple[str, ...] = ()
    on_delete: str = "a"
    using_index: str = ""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Domain:
    """A domain's base type, and its CHECKs with `value` in the place of a column."""

    type: str
    modifiers: tuple[int, ...]
    checks: tuple[Constraint, ...]


@dataclass(slots=True, eq=False, repr=False)
class Index:
    """An index; an expression among its columns is the empty string."""

    name: str
    columns: tuple[str, ...]
    method: str
    unique: bool
    where: Node | None
    node: Node
    statement: Statement
    include: tuple[str, ...] = ()
    nulls_not_distinct: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Table:
    """A table, view or materialized view."""

    schema: str
    name: str
    relation: Relation
    statement: Statement
    columns: dict[str, Column] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
    indexes: list[Index] = field(default_factory=list)
    partition_columns: tuple[str, ...] | None = None
    partition_strategy: str = ""
    partition_of: tuple[str, str] | None = None
    columns_known: bool = True
    temporary: bool = False
    commented: bool = False
    row_security: bool = False
    query: Node | None = None
    reads: frozenset[tuple[str, str]] = frozenset()
    read_columns: frozenset[str] = frozenset()

    @property
    def full_name(self) -> str:
        """Return the name as a person writes it: without the default schema."""
        return self.name if self.schema == DEFAULT_SCHEMA else f"{self.schema}.{self.name}"

    def of_kind(self, kind: ConstraintKind) -> Iterator[Constraint]:
        """Yield the constraints of one kind."""
        return (constraint for constraint in self.constraints if constraint.kind is kind)

    @property
    def primary_key(self) -> tuple[str, ...]:
        """Return the columns of the primary key, or an empty tuple."""
        return next((c.columns for c in self.of_kind(ConstraintKind.PRIMARY)), ())

    def key_constraints(self) -> Iterator[Constraint]:
        """Yield the primary key and the unique constraints."""
        return (c for c in self.constraints if c.kind in UNIQUE_KINDS)

    def unique_keys(self) -> Iterator[tuple[str, ...]]:
        """Yield the columns of each whole-table unique key: constraints and unique indexes."""
        yield from (key.columns for key in self.key_constraints())
        for index in self.indexes:
            if index.unique and index.where is None:
                yield index.columns

    def index_prefixes(self) -> Iterator[tuple[str, ...]]:
        """Yield the column lists that a lookup can use from the left: indexes and keys."""
        for index in self.indexes:
            if index.method in {"btree", "hash"} and index.where is None:
                yield index.columns
        yield from (key.columns for key in self.key_constraints())

    def checks_of(self, column: str) -> Iterator[Constraint]:
        """Yield the CHECK constraints that mention a column."""
        return (c for c in self.of_kind(ConstraintKind.CHECK) if column in c.columns)


@dataclass(slots=True, eq=False, repr=False)
class Routine:
    """A function or procedure with its body; `body_start` is the byte where the body begins."""

    schema: str
    name: str
    language: str
    returns: str
    arguments: tuple[tuple[str, str], ...]
    body: str
    body_start: int
    statement: Statement
    procedure: bool = False
    security_definer: bool = False
    settings: frozenset[str] = frozenset()


@dataclass(slots=True, eq=False, repr=False)
class Trigger:
    """A trigger and the function it runs."""

    name: str
    table: tuple[str, str]
    function: str
    before: bool
    row: bool
    statement: Statement


@dataclass(slots=True, eq=False, repr=False)
class Schema:
    """Everything that the files have built so far."""

    tables: dict[tuple[str, str], Table] = field(default_factory=dict)
    routines: dict[tuple[str, str], Routine] = field(default_factory=dict)
    triggers: list[Trigger] = field(default_factory=list)
    enums: dict[str, list[str]] = field(default_factory=dict)
    types: set[str] = field(default_factory=set)
    domains: dict[str, Domain] = field(default_factory=dict)
    extensions: set[str] = field(default_factory=set)
    schemas: set[str] = field(default_factory=lambda: {DEFAULT_SCHEMA})
    dropped: dict[tuple[str, str], Statement] = field(default_factory=dict)
    search_schema: str = DEFAULT_SCHEMA
    by_name: dict[str, Table] = field(default_factory=dict)
    index_owners: dict[str, Table] = field(default_factory=dict)

    def key(self, name: tuple[str, str]) -> tuple[str, str]:
        """Return the key of a possibly unqualified name."""
        return (name[0] or self.search_schema, name[1])

    def table(self, name: tuple[str, str]) -> Table | None:
        """Return a table by its possibly unqualified name."""
        found = self.tables.get(self.key(name))
        if found is None and not name[0]:
            found = self.by_name.get(name[1])
        return found

    def put(self, table: Table) -> None:
        """Add a table or view."""
        self.tables[table.schema, table.name] = table
        self.by_name[table.name] = table

    def remove(self, table: Table) -> None:
        """Take a table or view away."""
        self.tables.pop((table.schema, table.name), None)
        if self.by_name.get(table.name) is table:
            del self.by_name[table.name]

    def own(self, table: Table, index: Index) -> None:
        """Add an index to a table."""
        table.indexes.append(index)
        self.index_owners[index.name] = table

    def index(self, name: str) -> tuple[Table, Index] | None:
        """Return an index by name with its table."""
        table = self.index_owners.get(name)
        if table is None or self.tables.get((table.schema, table.name)) is not table:
            return None
        return next(((table, index) for index in table.indexes if index.name == name), None)
