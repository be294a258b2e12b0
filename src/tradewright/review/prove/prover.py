"""The proof of a set of migrations: each applied, run twice, taken back, on one shadow database.

`build` applies every up file as its runner would and tries each file's second run and its down
right behind it; `try_orphans` offers rows that refer to nothing, `fire_triggers` a row to every
trigger; `all_down` runs all downs, last file first. What came of it are facts; the rules make
findings of them.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import takewhile

import psycopg

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import TradewrightError
from tradewright.postgres.connect import Session
from tradewright.review.origin import begins_at_beginning
from tradewright.review.prove.made import made_by, made_by_refusal, things_made_by
from tradewright.review.prove.model import (
    DownDiffers,
    DownRefused,
    Fact,
    FileProof,
    OrphanTrial,
    Refused,
    SecondRun,
    StandIn,
    StandInOf,
    TriggerFailed,
    Untried,
)
from tradewright.review.prove.orphans import try_orphans
from tradewright.review.prove.play import (
    REFUSED_BY_PARSER,
    Player,
    StepRefused,
    offset_of,
    replay,
    talks_to_client,
    word_of,
)
from tradewright.review.prove.shadow import Shadow, look_again, stand_in_extensions
from tradewright.review.prove.snapshot import Snapshot, take_snapshot
from tradewright.review.prove.steps import (
    Step,
    schemas_stood_in,
    steps_of,
    unread_of,
    without_shared,
)
from tradewright.review.prove.triggers import fire_triggers
from tradewright.review.prove.verdict import Memory, extension_of, roles_named
from tradewright.review.prove.watch import Watch
from tradewright.review.rule import Context
from tradewright.review.source.text import Statement
from tradewright.review.transactions import in_transaction

BeforeFile = Callable[[Step], None]
"""Is told of each migration just before it is applied, when the shadow is as the file finds it."""


class Prover:
    """Proves one set of migrations on one shadow; the methods are called in their order."""

    def __init__(self, shadow: Shadow, context: Context) -> None:
        self.shadow = shadow
        self.context = context
        self.facts: list[Fact] = []
        self.files: list[FileProof] = []
        self.keys: list[OrphanTrial] = []
        self.schema_objects = 0
        steps = steps_of(context.readings)
        self.steps = [step for step in steps if not step.source.standing]
        self._standing = [step for step in steps if step.source.standing]
        self._memory = Memory(
            made=frozenset(name for step in steps for s in step.up for name in things_made_by(s)),
            begins=begins_at_beginning(context),
        )
        self._untried: dict[str, Untried] = {}
        self._skipped: set[int] = set()
        self._empty: Snapshot | None = None

    def build(self, before_file: BeforeFile | None = None) -> None:
        """Apply every file; try its second run and its down."""
        for name in schemas_stood_in(self.steps, self._memory.made):
            is_default = self.steps[0].source.layout == "flyway"
            self.shadow.add_schema(name, is_default=is_default)
        for step in self._standing:
            self._apply(step)
        with self.shadow.session() as session:
            self._empty = take_snapshot(session)
        before: Snapshot | None = self._empty
        self.facts += unread_of(self.context.readings)
        for step in self.steps:
            if before_file is not None:
                before_file(step)
            try:
                before = self._build_file(step, before)
            except (psycopg.Error, TradewrightError) as error:
                self._give_up(step, error)
        self.schema_objects = (before or self._snapshot(self._empty) or self._empty).size

    def try_orphans(self) -> None:
        """Offer a row that refers to nothing to every foreign key."""
        with suppress(psycopg.Error, TradewrightError), self.shadow.session() as session:
            self.keys = try_orphans(session, self.context.readings)
        self.facts += self.keys

    def fire_triggers(self) -> None:
        """Let every trigger meet a row."""
        failed: list[TriggerFailed] = []
        with suppress(psycopg.Error, TradewrightError), self.shadow.session() as session:
            failed = fire_triggers(session, self.context.readings)
        for fact in failed:
            reason, root = self._memory.reason(fact.statement, fact.word), None
            if not reason:
                root = self._memory.root_of(fact.word)
            if reason:
                self._leave_untried(fact.statement, reason)
            elif root is not None:
                root.followers += 1
            else:
                self.facts.append(fact)

    @cached_property
    def all_down(self) -> bool | None:
        """Whether every down, last file first, leaves nothing behind; None when not tried.

        Asking for it takes the schema down.
        """
        is_refused = any(isinstance(fact, DownRefused) for fact in self.facts)
        tried = [file for file in self.files if file.down is not None]
        if self._empty is None or is_refused or len(tried) < len(self.steps):
            return None
        try:
            return self._take_all_down(self._empty)
        except (psycopg.Error, TradewrightError):
            return None

    def _take_all_down(self, empty: Snapshot) -> bool:
        for step in reversed(self.steps):
            try:
                with self.shadow.session() as session:
                    replay(session, self._kept(step.down or ()), self.context).finish()
            except StepRefused as refused:
                self.facts.append(_down_refused(refused, at_the_end=True))
                return False
        with self.shadow.session() as session:
            return not without_shared(empty.differences(take_snapshot(session, empty)), self.steps)

    def _give_up(self, step: Step, error: Exception) -> None:
        """Write down that a file left the shadow unusable, as none of goodwill does."""
        said = str(error).strip().partition("\n")[0]
        for statement in step.up[:1]:
            self.facts.append(Untried(statement=statement, reason=f"the shadow is lost ({said})"))

    def _build_file(self, step: Step, before: Snapshot | None) -> Snapshot | None:
        """Prove one file; return the catalog after it, or none where nobody asked for it.

        A file that is not under review is applied for the sake of those behind it, and no more.
        """
        started = monotonic_seconds()
        is_judged, after = self._is_judged(step), None
        if is_judged:
            before = before or self._snapshot(self._empty) or Snapshot()
        refused = self._apply(step)
        second_run = down = None
        if is_judged and before is not None:
            after = self._snapshot(before) or before
            if not refused:
                second_run, after = self._again(step, after)
                down = self._try_down(step, before, after)
        self.files.append(
            FileProof(
                source=step.source,
                statements=len(step.up),
                elapsed_ms=round((monotonic_seconds() - started) * 1000),
                refused=refused,
                is_judged=is_judged,
                second_run=second_run,
                down=down,
            )
        )
        return after

    def _is_judged(self, step: Step) -> bool:
        unapplied = self.context.unapplied
        paths = {each.path for each in (step.source, step.down_source) if each is not None}
        return unapplied is None or not unapplied.isdisjoint(paths)

    def _again(self, step: Step, first: Snapshot) -> tuple[bool | None, Snapshot]:
        """Try a second run; return how it went, and the catalog behind it."""
        again = self._try_again(step, first)
        if again is not False or self._is_transactional(step) or self._is_refused_whole(step):
            return again, first
        return again, self._snapshot(first) or first

    def _is_refused_whole(self, step: Step) -> bool:
        """Return whether the last second run was refused at its only statement."""
        kept, last = self._kept(step.up), self.facts[-1]
        is_one = len(kept) == 1 and kept[0].kind not in {"CallStmt", "DoStmt"}
        return is_one and isinstance(last, SecondRun) and last.word is not None

    def _apply(self, step: Step) -> int:
        """Apply a file, statement by statement, behind every refusal too; count the refusals."""
        before = sum(isinstance(fact, Refused) for fact in self.facts)
        with self.shadow.session() as session:
            player, watch = Player(session, self.context), Watch(session)
            for statement in step.up:
                self._memory.met.update(things_made_by(statement))
                if self._step(player, statement):
                    self.facts += watch.seen(statement, in_transaction=player.is_open)
                if session.closed:
                    break
            self._commit(player, step)
        return sum(isinstance(fact, Refused) for fact in self.facts) - before

    def _step(self, player: Player, statement: Statement) -> bool:
        """Send one statement, once more when it only missed a role; tell whether it ran."""
        if talks_to_client(statement):
            self._leave_untried(statement, "its rows are with the client")
            return False
        try:
            player.step(statement)
        except psycopg.Error as error:
            if not self._stand_in_roles(player.session, statement, error):
                self._judge(statement, error)
                return False
            return self._step(player, statement)
        if extension_of(statement) in stand_in_extensions():
            name = extension_of(statement)
            self.facts.append(StandIn(statement=statement, of=StandInOf.EXTENSION, name=name))
        return True

    def _commit(self, player: Player, step: Step) -> None:
        try:
            player.finish()
        except psycopg.Error as error:
            self._judge(step.up[-1], error)

    def _stand_in_roles(self, session: Session, statement: Statement, error: psycopg.Error) -> bool:
        """Make the roles that a statement names and that do not exist; tell whether any."""
        if error.sqlstate != psycopg.errors.UndefinedObject.sqlstate or session.closed:
            return False
        known = {row[0] for row in session.execute("SELECT rolname FROM pg_roles")}
        missing = sorted(roles_named(statement.node) - known)
        for name in missing:
            self.shadow.add_role(name)
            self.facts.append(StandIn(statement=statement, of=StandInOf.ROLE, name=name))
        if missing:
            look_again(session)
        return bool(missing)

    def _judge(self, statement: Statement, error: psycopg.Error) -> None:
        """Write down what a refusal means, and what will be missing because of it."""
        word, memory = word_of(error), self._memory
        self._skipped.add(id(statement))
        names = [name for name in self._made(statement) if name]
        reason = memory.reason(statement, word)
        if statement.source.holds_placeholder(statement.start, statement.end) and not reason:
            reason = f"its placeholders have no values here ({word.message})"
        if statement.source.standing and not reason:
            reason = f"a part of the schema that stood before is refused ({word.message})"
        if reason:
            self._leave_untried(statement, reason)
            memory.untried.update(names)
            return
        root = memory.root_of(word)
        if root is None:
            offset = offset_of(statement, error)
            root = Refused(statement=statement, offset=offset, word=word)
            self.facts.append(root)
        else:
            root.followers += 1
        for name in names:
            memory.lost.setdefault(name, root)

    def _leave_untried(self, statement: Statement, reason: str) -> None:
        """Write down that a statement could not be tried, with the first of the same reason."""
        first = self._untried.get(reason)
        if first is not None:
            first.followers += 1
            return
        self._untried[reason] = Untried(statement=statement, reason=reason)
        self.facts.append(self._untried[reason])

    def _made(self, statement: Statement) -> list[str]:
        if statement.kind != REFUSED_BY_PARSER:
            return made_by(statement)
        reading = next(r for r in self.context.readings if r.source is statement.source)
        repaired = [each for each in reading.statements if each.repaired]
        refusals = (each for each in reading.refusals if each.broken.start == statement.start)
        return [name for refusal in refusals for name in made_by_refusal(refusal, repaired)]

    def _try_again(self, step: Step, first: Snapshot) -> bool | None:
        """Run a file a second time; where it is one transaction, this is rolled back."""
        kept = self._kept(step.up)
        if not kept:
            return None
        transactional = self._is_transactional(step)
        with self.shadow.session() as session:
            try:
                player = replay(session, kept, self.context)
            except StepRefused as refused:
                at, word = refused.statement, word_of(refused.error)
                traceless = transactional or self._is_undone(kept, at)
                self._failed_again(SecondRun(statement=at, transactional=traceless, word=word))
                return False
            second = take_snapshot(session, first)
            player.finish(keep=False)
        changes = first.differences(second)
        if changes:
            again = SecondRun(statement=kept[0], transactional=transactional, differences=changes)
            self.facts.append(again)
        return not changes

    def _failed_again(self, again: SecondRun) -> None:
        """Write a failed second run down, in the place of one that says no more than it."""
        earlier = next(
            (f for f in self.facts if isinstance(f, SecondRun) and f.is_refused_whole), None
        )
        if again.is_refused_whole and earlier is not None:
            again.others = earlier.others + 1
            self.facts.remove(earlier)
        self.facts.append(again)

    def _try_down(self, step: Step, before: Snapshot, after: Snapshot) -> bool | None:
        """Run a file's down and compare; then bring the file back where it was really taken."""
        if step.down is None or not step.down:
            return None
        with self.shadow.session() as session:
            try:
                player = replay(session, self._kept(step.down), self.context)
            except StepRefused as refused:
                return self._down_failed(refused)
            was_open = player.is_open
            left = take_snapshot(session, after)
            player.finish(keep=False)
        differences = without_shared(before.differences(left), self.steps)
        if differences:
            self.facts.append(DownDiffers(statement=step.down[0], differences=differences))
        if not was_open:
            self._bring_back(step, after)
        return not differences

    def _down_failed(self, refused: StepRefused) -> bool | None:
        reason = self._memory.reason(refused.statement, word_of(refused.error))
        if reason:
            self._skipped.add(id(refused.statement))
            self._leave_untried(refused.statement, reason)
            return None
        self.facts.append(_down_refused(refused))
        return False

    def _bring_back(self, step: Step, after: Snapshot) -> None:
        """Apply a file again behind a down that no transaction could hold."""
        try:
            with self.shadow.session() as session:
                replay(session, self._kept(step.up), self.context).finish()
                differences = after.differences(take_snapshot(session, after))
        except StepRefused as refused:
            differences = (f"the up no longer applies: {word_of(refused.error)}",)
        if differences and step.down:
            self.facts.append(DownDiffers(statement=step.down[0], differences=differences))

    def _snapshot(self, near: Snapshot | None) -> Snapshot | None:
        """Read the catalog; none when the migration left the database unreadable."""
        try:
            with self.shadow.session() as session:
                return take_snapshot(session, near)
        except (psycopg.Error, TradewrightError):
            return None

    def _kept(self, statements: Iterable[Statement]) -> list[Statement]:
        return [statement for statement in statements if id(statement) not in self._skipped]

    def _is_undone(self, kept: Sequence[Statement], at: Statement) -> bool:
        """Return whether nothing stays of what was sent before a statement was refused.

        Nothing was sent, or all of it stands behind the file's own BEGIN.
        """
        before = list(takewhile(lambda each: each is not at, kept))
        sent = [each for each in before if each.kind != "TransactionStmt"]
        ended = any(str(e.node.get("kind")) == "TRANS_STMT_COMMIT" for e in before if e not in sent)
        inside = all(in_transaction(self.context, each) for each in (*sent, at))
        return not sent or (inside and not ended)

    def _is_transactional(self, step: Step) -> bool:
        return all(in_transaction(self.context, each) for each in self._kept(step.up))


def _down_refused(refused: StepRefused, *, at_the_end: bool = False) -> DownRefused:
    return DownRefused(
        statement=refused.statement,
        offset=offset_of(refused.statement, refused.error),
        word=word_of(refused.error),
        at_the_end=at_the_end,
    )
