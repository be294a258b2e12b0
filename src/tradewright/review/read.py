"""The read stage: one walk over all statements, each shown to the rules that asked for its kind.

Up sources are read in the runner's order and build the model; down sources are parsed and shown
only to rules that ask for them. Rules see ALTER commands and statements before the model
changes, and tables, columns, constraints and routines after it.
"""

from collections import defaultdict
from collections.abc import Iterable

from tradewright.review.hits import Answer, Found, found, numbered
from tradewright.review.ignores import apply_ignores
from tradewright.review.model import Finding, Stage
from tradewright.review.registry import SHADOW_RULES
from tradewright.review.rule import Context, Event, Rule
from tradewright.review.schema.alter import unknown_table
from tradewright.review.schema.bodies import Body, read_body
from tradewright.review.schema.build import apply, body_of, changes_model
from tradewright.review.schema.catalog import Column, Routine, Table
from tradewright.review.schema.tree import range_name, strings
from tradewright.review.source.statements import Reading, Refusal, read_statements
from tradewright.review.source.text import Direction, Source, Statement

_BODY_KINDS = frozenset(
    {
        "SelectStmt",
        "InsertStmt",
        "UpdateStmt",
        "DeleteStmt",
        "MergeStmt",
        "RefreshMatViewStmt",
        "VariableSetStmt",
        "CallStmt",
    }
)
"""Kinds of statements that rules see inside functions."""


class ReadStage:
    """One pass over a set of sources."""

    def __init__(self, rules: Iterable[Rule], context: Context) -> None:
        self.rules = [rule for rule in rules if rule.id not in context.settings.disable]
        self.context = context
        self.found: list[Found] = []
        self._late: list[Answer] = []
        self._by_kind: dict[str, list[Rule]] = defaultdict(list)
        self._narrowed: dict[tuple[str, frozenset[str]], list[Rule]] = {}
        for rule in self.rules:
            for kind in rule.kinds:
                self._by_kind[kind].append(rule)

    def run(self, sources: Iterable[Source]) -> list[Finding]:
        """Read all sources and return the findings, in the order of files and lines."""
        self.judge(sources)
        return self.finish([])

    def judge(self, sources: Iterable[Source]) -> None:
        """Show sources to the rules, and let the model follow."""
        for source in sources:
            if source.standing:
                self.follow([source])
                continue
            reading = read_statements(source)
            self.context.readings.append(reading)
            if source.direction is Direction.UP:
                self._read_up(reading)
            else:
                self._read_down(reading)

    def follow(self, sources: Iterable[Source]) -> None:
        """Let the model follow sources that somebody else judges."""
        for source in sources:
            reading = read_statements(source)
            self.context.readings.append(reading)
            if source.direction is Direction.UP:
                self._follow(reading.statements)

    def _follow(self, statements: Iterable[Statement]) -> None:
        for statement in statements:
            if statement.kind == "DoStmt":
                text, start = body_of(statement)
                self._follow(read_body(statement.source, text, start).statements)
            else:
                apply(self.context.schema, statement)

    def finish(self, elsewhere: list[Found]) -> list[Finding]:
        """Judge the whole; return all findings, with what was found by others in the beginning."""
        if self.context.readings:
            first = self.context.readings[0].source
            self._show(Event("schema", first, _whole(first), {}))
        rules = {rule.id: rule for rule in self.rules}
        severities = self.context.settings.severity
        late = (found(*answer, severities, fixing=True) for answer in self._late)
        findings = numbered([*elsewhere, *self.found, *late], rules, Stage.READ)
        return apply_ignores(findings, self.context.readings, SHADOW_RULES)

    def _read_up(self, reading: Reading) -> None:
        for statement in reading.statements:
            self._read_statement(statement)
        self._show_remains(reading)

    def _read_down(self, reading: Reading) -> None:
        self._by_kind, kept = self._down_rules(), self._by_kind
        self._narrowed.clear()
        for statement in reading.statements:
            self._show(Event(statement.kind, reading.source, statement, statement.node))
        self._show_remains(reading)
        self._by_kind = kept
        self._narrowed.clear()

    def _down_rules(self) -> dict[str, list[Rule]]:
        downs = {kind: [r for r in rules if r.downs] for kind, rules in self._by_kind.items()}
        return defaultdict(list, downs)

    def _show_remains(self, reading: Reading) -> None:
        source = reading.source
        for refusal in reading.refusals:
            self._read_refusal(source, refusal)
        for unread in reading.unread:
            place = Statement(source, "unread", "", unread.start, unread.end)
            place.decoded = {"message": unread.message}
            self._show(Event("unread", source, place, place.node))
        rules = self._rules("file", frozenset({s.kind for s in reading.statements}))
        self._ask(rules, Event("file", source, _whole(source), {}, reading=reading))

    def _read_statement(self, statement: Statement, body: Body | None = None) -> None:
        """Show a statement, apply it, and show what came of it."""
        source, kind = statement.source, statement.kind
        if kind not in self._by_kind and not changes_model(kind) and kind != "DoStmt":
            return
        node, table = statement.node, None
        if kind in {"AlterTableStmt", "IndexStmt"}:
            table = self.context.schema.table(range_name(node.get("relation")))
        indexed = table if kind == "IndexStmt" else None
        self._show(Event(kind, source, statement, node, indexed, body=body))
        if kind == "AlterTableStmt":
            self._show_commands(statement, table, body)
        apply(self.context.schema, statement)
        if kind == "CreateStmt":
            table = self.context.schema.table(range_name(node.get("relation")))
        if table is not None and indexed is None:
            self._show_parts(statement, table)
        elif table is None and kind == "AlterTableStmt":
            self._show_columns(statement, unknown_table(statement))
        elif kind == "CreateFunctionStmt":
            self._read_routine(statement)
        elif kind == "DoStmt":
            self._read_do(statement)

    def _show_commands(self, statement: Statement, table: Table | None, body: Body | None) -> None:
        """Show each command of an ALTER TABLE."""
        for wrapped in statement.node.get("cmds", ()):
            command = wrapped["AlterTableCmd"]
            kind = command.get("subtype", "")
            if kind in self._by_kind:
                event = Event(kind, statement.source, statement, command, table, body=body)
                self._show(event)

    def _show_parts(self, statement: Statement, table: Table) -> None:
        source, node = statement.source, statement.node
        if table.statement is statement:
            self._show(Event("table", source, statement, node, table))
        self._show_columns(statement, table)
        for constraint in list(table.constraints):
            if constraint.statement is statement:
                event = Event("constraint", source, statement, node, table, constraint=constraint)
                self._ask(self._rules("constraint", frozenset({constraint.kind})), event)

    def _show_columns(self, statement: Statement, table: Table) -> None:
        source, node = statement.source, statement.node
        for column in list(table.columns.values()):
            if column.statement is statement and (rules := self._of_column(column)):
                self._ask(rules, Event("column", source, statement, node, table, column))

    def _of_column(self, column: Column) -> list[Rule]:
        said = {column.type}
        if column.default is not None:
            said.add("defaulted")
        if column.generated:
            said.add("generated")
        return self._rules("column", frozenset(said))

    def _rules(self, kind: str, said: frozenset[str]) -> list[Rule]:
        """Return the rules that ask for a kind of event of which all this can be said."""
        if (kind, said) not in self._narrowed:
            meant = [rule for rule in self._by_kind[kind] if not rule.of or said & rule.of]
            self._narrowed[kind, said] = meant
        return self._narrowed[kind, said]

    def _read_routine(self, statement: Statement) -> None:
        names = strings(statement.node.get("funcname"))
        schema = self.context.schema
        routine = schema.routines.get(schema.key(("" if len(names) < 2 else names[-2], names[-1])))
        if routine is not None:
            self._show_routine(statement, routine)

    def _show_routine(self, statement: Statement, routine: Routine) -> None:
        source = statement.source
        body = Body()
        if routine.language in {"plpgsql", "sql"} and routine.body:
            body = read_body(source, routine.body, routine.body_start)
        self._show(Event("routine", source, statement, statement.node, routine=routine, body=body))
        for inner in body.statements:
            if inner.kind in _BODY_KINDS:
                event = Event(inner.kind, source, inner, inner.node, routine=routine, body=body)
                self._show(event)

    def _read_do(self, statement: Statement) -> None:
        text, start = body_of(statement)
        body = read_body(statement.source, text, start)
        for inner in body.statements:
            self._read_statement(inner, body)

    def _read_refusal(self, source: Source, refusal: Refusal) -> None:
        broken = refusal.broken
        place = Statement(source, "refusal", "", broken.start, broken.end)
        self._show(Event("refusal", source, place, {}, refusal=refusal))
        if refusal.routine is not None:
            foreign = refusal.routine
            routine = Routine(
                "",
                foreign.name,
                "plpgsql",
                "",
                (),
                foreign.body,
                foreign.body_start,
                place,
                procedure=True,
            )
            self._show_routine(place, routine)

    def _show(self, event: Event) -> None:
        self._ask(self._by_kind.get(event.kind, ()), event)

    def _ask(self, rules: Iterable[Rule], event: Event) -> None:
        for rule in rules:
            for hit in rule.check(self.context, event):
                if self.context.fixing:
                    self._late.append((rule, hit))
                else:
                    self.found.append(found(rule, hit, self.context.settings.severity))


def _whole(source: Source) -> Statement:
    return Statement(source, "file", "", 0, len(source.data))
