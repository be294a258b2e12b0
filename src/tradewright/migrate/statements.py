"""Split a file into its statements and tell which of them may run in a transaction.

PostgreSQL's own parser decides (libpg_query), so a semicolon in a function body or a word in a
comment misleads nobody. Nothing is executed here.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

import postgast
from postgast import pg_query_pb2 as tree

from tradewright.core.errors import ErrorCode, MigrationError


class Kind(Enum):
    """How a statement must be run, and how it is recognised after a crash."""

    ORDINARY = "ordinary"
    SETTING = "setting"
    INDEX_BUILD = "index build"
    INDEX_DROP = "index drop"
    INDEX_REBUILD = "index rebuild"
    PARTITION_DETACH = "partition detach"
    OUTSIDE = "outside a transaction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, beginning at its first word on `line` of its file (1-based).

    `subject` names what an INDEX_BUILD makes (table, index) or what an INDEX_DROP or
    PARTITION_DETACH ends, each as quoted SQL names.
    """

    text: str
    line: int
    kind: Kind
    subject: tuple[str, ...] = ()

    @property
    def transactional(self) -> bool:
        """Whether the statement may run inside a transaction."""
        return self.kind in {Kind.ORDINARY, Kind.SETTING}

    @property
    def waits_for_everyone(self) -> bool:
        """Whether it must outwait old transactions, blocking nobody: a lock timeout would harm.

        Cut short, these leave an INVALID index or a half-detached partition behind.
        """
        return self.kind in {
            Kind.INDEX_BUILD,
            Kind.INDEX_DROP,
            Kind.INDEX_REBUILD,
            Kind.PARTITION_DETACH,
        }

    @property
    def headline(self) -> str:
        """The statement on one line of at most 100 characters, passwords left out."""
        line = _PASSWORD.sub(r"\1'***'", " ".join(self.text.split()))
        return line if len(line) <= 100 else line[:99] + "…"


_PASSWORD = re.compile(r"(\bpassword\s+)E?'(?:[^']|'')*'", re.IGNORECASE)
_BLANK = re.compile(rb"\s+|--[^\n]*")
_NO_TRANSACTION = re.compile(r"^--[ \t]*tradewright:[ \t]*no-transaction\b", re.MULTILINE)


def parse_statements(
    text: str,
    file_name: str,
    *,
    first_line: int = 1,
    in_transaction: bool = True,
) -> tuple[Statement, ...]:
    """Return the statements of `text`.

    A file wrapped in its own BEGIN and COMMIT is unwrapped, since the runner brings the
    transaction. Every statement runs on its own where not `in_transaction`, or after a comment
    `-- tradewright: no-transaction`.

    Raises:
        MigrationError: MIGRATION_SYNTAX_WRONG, MIGRATION_CONTROLS_TRANSACTION or
            MIGRATION_INDEX_UNNAMED, each with file and line.

    """
    source = text.removeprefix("\ufeff").encode()
    place = _Place(source, file_name, first_line)
    try:
        raw = list(postgast.parse(source.decode()).stmts)
    except postgast.PgQueryError as error:
        raise place.syntax_error(error) from error
    statements = [_statement(place, item) for item in _unwrapped(place, raw)]
    if not in_transaction or _NO_TRANSACTION.search(text):
        statements = [_outside(statement) for statement in statements]
    return tuple(statements)


@dataclass(frozen=True, slots=True)
class _Place:
    """A source text that can tell the line of any of its bytes."""

    source: bytes
    file_name: str
    first_line: int

    def line(self, position: int) -> int:
        return self.first_line + self.source.count(b"\n", 0, position)

    def start(self, item: Any) -> int:
        """Return the position of a statement's first word, after blanks and comments."""
        position: int = item.stmt_location
        while True:
            blank = _BLANK.match(self.source, position)
            if blank:
                position = blank.end()
            elif self.source.startswith(b"/*", position):
                position = _comment_end(self.source, position)
            else:
                return position

    def end(self, item: Any) -> int:
        length: int = item.stmt_len
        return item.stmt_location + length if length else len(self.source.rstrip())

    def syntax_error(self, error: postgast.PgQueryError) -> MigrationError:
        line = self.line(max(error.cursorpos - 1, 0))
        return self.error(
            ErrorCode.MIGRATION_SYNTAX_WRONG,
            line,
            error.message,
            hint="Correct the file; nothing was run.",
        )

    def error(self, code: ErrorCode, line: int, why: str, *, hint: str) -> MigrationError:
        return MigrationError(
            code,
            f"migration file '{self.file_name}' cannot be run: line {line}",
            why=why,
            hint=hint,
            facts={"file": self.file_name, "line": line},
        )


def _comment_end(source: bytes, position: int) -> int:
    """Return where the (nestable) block comment that begins at `position` ends."""
    depth = 0
    for mark in re.finditer(rb"/\*|\*/", source[position:]):
        depth += 1 if mark.group() == b"/*" else -1
        if depth == 0:
            return position + mark.end()
    return len(source)


def _unwrapped(place: _Place, raw: list[Any]) -> list[Any]:
    """Return the statements without one BEGIN at the start and one COMMIT at the end."""
    control = [_transaction_word(item) for item in raw]
    wrapped = len(raw) >= 2 and control[0] == "begin" and control[-1] == "commit"
    inner = slice(1, -1) if wrapped else slice(None)
    for item, word in zip(raw[inner], control[inner], strict=True):
        if word is not None:
            raise place.error(
                ErrorCode.MIGRATION_CONTROLS_TRANSACTION,
                place.line(place.start(item)),
                f"The file says {word.upper()}, but the runner opens and commits the transaction, "
                "so that the file and its row of history are kept or lost together.",
                hint="Remove the statement, or split the file in two.",
            )
    return raw[inner]


_CONTROL_WORDS = {
    tree.TransactionStmtKind.TRANS_STMT_BEGIN: "begin",
    tree.TransactionStmtKind.TRANS_STMT_START: "begin",
    tree.TransactionStmtKind.TRANS_STMT_COMMIT: "commit",
    tree.TransactionStmtKind.TRANS_STMT_ROLLBACK: "rollback",
    tree.TransactionStmtKind.TRANS_STMT_PREPARE: "prepare transaction",
}


def _transaction_word(item: Any) -> str | None:
    if item.stmt.WhichOneof("node") != "transaction_stmt":
        return None
    statement = item.stmt.transaction_stmt
    if statement.options or statement.chain:
        return "begin or commit with options"
    return _CONTROL_WORDS.get(statement.kind)


def _statement(place: _Place, item: Any) -> Statement:
    start = place.start(item)
    line = place.line(start)
    kind, subject = _kind(item.stmt)
    if kind is Kind.INDEX_BUILD and not all(subject):
        raise place.error(
            ErrorCode.MIGRATION_INDEX_UNNAMED,
            line,
            "An index built CONCURRENTLY may be left INVALID by a failure; without a name it "
            "could not be found again.",
            hint="Name the index.",
        )
    text = place.source[start : place.end(item)].decode()
    return Statement(text=text, line=line, kind=kind, subject=subject)


def _outside(statement: Statement) -> Statement:
    kind = Kind.OUTSIDE if statement.kind is Kind.ORDINARY else statement.kind
    return Statement(
        text=statement.text,
        line=statement.line,
        kind=kind,
        subject=statement.subject,
    )


def _kind(node: Any) -> tuple[Kind, tuple[str, ...]]:
    """Classify a statement by what PostgreSQL refuses inside a transaction block."""
    name = node.WhichOneof("node")
    statement = getattr(node, name)
    found: tuple[Kind, tuple[str, ...]] = (Kind.ORDINARY, ())
    match name:
        case "index_stmt" if statement.concurrent:
            index = quote_name(statement.idxname) if statement.idxname else ""
            found = Kind.INDEX_BUILD, (relation_name(statement.relation), index)
        case "drop_stmt" if statement.concurrent:
            found = Kind.INDEX_DROP, tuple(dropped_name(each) for each in statement.objects)
        case "alter_table_stmt":
            found = _alter_table(statement)
        case "reindex_stmt":
            found = _reindex(statement)
        case "variable_set_stmt" if not statement.is_local:
            found = Kind.SETTING, ()
        case _ if name in _ALWAYS_OUTSIDE or _is_sometimes_outside(name, statement):
            found = Kind.OUTSIDE, ()
    return found


_ALWAYS_OUTSIDE = frozenset(
    {
        "alter_system_stmt",
        "create_table_space_stmt",
        "createdb_stmt",
        "drop_table_space_stmt",
        "dropdb_stmt",
    },
)


def _is_sometimes_outside(name: str, statement: Any) -> bool:
    match name:
        case "vacuum_stmt":
            return bool(statement.is_vacuumcmd)
        case "cluster_stmt":
            return not statement.HasField("relation")
        case "alter_database_stmt":
            return any(option.def_elem.defname == "tablespace" for option in statement.options)
        case "create_subscription_stmt" | "alter_subscription_stmt" | "drop_subscription_stmt":
            return True
        case "discard_stmt":
            return bool(statement.target == tree.DiscardMode.DISCARD_ALL)
    return False


def _alter_table(statement: Any) -> tuple[Kind, tuple[str, ...]]:
    for command in statement.cmds:
        change = command.alter_table_cmd
        detaches = change.subtype == tree.AlterTableType.AT_DetachPartition
        if detaches and getattr(change, "def").partition_cmd.concurrent:
            partition = getattr(change, "def").partition_cmd.name
            return Kind.PARTITION_DETACH, (
                relation_name(statement.relation),
                relation_name(partition),
            )
    return Kind.ORDINARY, ()


def _reindex(statement: Any) -> tuple[Kind, tuple[str, ...]]:
    if any(option.def_elem.defname == "concurrently" for option in statement.params):
        return Kind.INDEX_REBUILD, (relation_name(statement.relation),)
    of_table = statement.kind in {
        tree.ReindexObjectType.REINDEX_OBJECT_INDEX,
        tree.ReindexObjectType.REINDEX_OBJECT_TABLE,
    }
    return (Kind.ORDINARY if of_table else Kind.OUTSIDE), ()


def relation_name(relation: Any) -> str:
    """Return the quoted name of a relation of the parser's tree."""
    return ".".join(quote_name(part) for part in (relation.schemaname, relation.relname) if part)


def dropped_name(node: Any) -> str:
    """Return the quoted name of what a DROP names."""
    return ".".join(quote_name(part.string.sval) for part in node.list.items)


def quote_name(name: str) -> str:
    """Return a name as it may stand in SQL whatever its letters."""
    return '"' + name.replace('"', '""') + '"'
