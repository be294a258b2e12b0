"""What a refusal means: the migration's own fault, a follower of an earlier one, or our limits.

Refusals are told apart by SQLSTATE. A statement that needs a superuser, an extension that is not
installed here, or more time than a proof gives is not held against its author.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tradewright.review.prove.model import Refused, ServerWord
from tradewright.review.prove.shadow import STATEMENT_SECONDS
from tradewright.review.schema.tree import range_name, strings
from tradewright.review.source.parser import Node
from tradewright.review.source.statements import Refusal
from tradewright.review.source.text import Statement

UNDEFINED = frozenset({"42P01", "42703", "42883", "42704", "3F000", "42P10", "55000"})
"""Refusals for want of a table, column, function, type, schema, key or partition."""

_NEEDS_SUPERUSER = "42501"
_OUT_OF_TIME = "57014"
_NOT_AVAILABLE = frozenset({"0A000", "58P01", "42704"})
_OUR_LIMITS = ("53", "54")


@dataclass(slots=True)
class Memory:
    """What earlier statements would have made, had they not been refused."""

    lost: dict[str, Refused] = field(default_factory=dict)
    untried: set[str] = field(default_factory=set)
    absent: list[str] = field(default_factory=list)

    def root_of(self, word: ServerWord) -> Refused | None:
        """Return the refused statement whose product this refusal misses, if there is one."""
        return next((self.lost[name] for name in _named(word, self.lost)), None)

    def reason(self, statement: Statement, word: ServerWord) -> str:
        """Return why a refusal says nothing against the migration; empty when it does."""
        if word.sqlstate == _OUT_OF_TIME:
            return f"it was stopped after {STATEMENT_SECONDS} seconds"
        if word.sqlstate == _NEEDS_SUPERUSER:
            return f"the shadow's role may not do this ({word.message})"
        if not word.sqlstate or word.sqlstate.startswith(_OUR_LIMITS):
            return f"the shadow gave up ({word.message})"
        if statement.kind == "CreateExtensionStmt" and word.sqlstate in _NOT_AVAILABLE:
            return f"extension {extension_of(statement)} is not installed on the shadow"
        if word.sqlstate not in UNDEFINED:
            return ""
        missing = next(_named(word, self.untried), "")
        if missing:
            return f"{missing} was to be made by a statement that could not be tried"
        if self.absent and word.sqlstate != "42P01":
            return f"it may need {', '.join(self.absent)}, which the shadow lacks ({word.message})"
        return ""


def _named(word: ServerWord, names: dict[str, Refused] | set[str]) -> Iterator[str]:
    text = word.message.lower()
    return (name for name in names if f'"{name}"' in text or f" {name}(" in text)


def extension_of(statement: Statement) -> str:
    """Return the extension that a statement creates; empty when it creates none."""
    return str(statement.node.get("extname", "")) if statement.kind == "CreateExtensionStmt" else ""


def made_by(statement: Statement) -> list[str]:
    """Return the names (lower case) that a statement would have brought into being."""
    node = statement.node
    relation = node.get("relation") or node.get("view") or _into(node)
    match statement.kind:
        case "CreateStmt" | "ViewStmt" | "CreateTableAsStmt" | "CreateSeqStmt":
            name = (node.get("sequence") or relation) if relation or node.get("sequence") else None
            return [range_name(name)[1].lower()] if name else []
        case "IndexStmt":
            return [str(node.get("idxname", "")).lower()]
        case "CreateFunctionStmt":
            return [strings(node.get("funcname"))[-1].lower()]
        case "CreateEnumStmt" | "CompositeTypeStmt" | "CreateRangeStmt":
            return [strings(node["typeName"])[-1].lower()] if "typeName" in node else []
        case "CreateDomainStmt":
            return [strings(node.get("domainname"))[-1].lower()]
        case "CreateSchemaStmt":
            return [str(node.get("schemaname", "")).lower()]
        case "AlterTableStmt":
            return [name.lower() for name in _columns_added(node)]
    return []


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


def roles_named(node: Node) -> set[str]:
    """Return the roles that a statement names as somebody's, never those that it creates."""
    found: set[str] = set()
    pending: list[object] = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, dict):
            if current.get("roletype") == "ROLESPEC_CSTRING":
                found.add(str(current.get("rolename", "")))
            pending.extend(current.values())
        elif isinstance(current, list):
            pending.extend(current)
    return found - {""}
