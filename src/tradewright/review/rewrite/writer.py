"""From a folder to a proposal: convert, correct, write the downs, prove, withdraw what fails.

Nothing here touches the folder. What the server refuses is taken out of the proposal, first one
correction at a time, then all those of the file, so that one that fails does not cost the others.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.model import Finding
from tradewright.review.rewrite.conversion import Converted, converted
from tradewright.review.rewrite.model import FileChange, Fix, Proposal, Reason
from tradewright.review.rewrite.proof import Complaint, complaints, new_complaints
from tradewright.review.rewrite.rounds import Corrected, corrected
from tradewright.review.rewrite.taking_back import Irreversible, down_of
from tradewright.review.rewrite.tree import Tree, down_path
from tradewright.review.rule import Context
from tradewright.review.source.text import Source

ServerWhenNeeded = Callable[[], EmbeddedServer]
"""Gives the scratch server, and starts it when it is asked for the first time."""

SINGLE_TRIALS_MAX = 8
"""Corrections of one file that are tried without, each alone, before all of them are withdrawn."""

_WANTING_DOWN = frozenset({"down-missing", "down-in-comment"})


@dataclass(slots=True)
class _Draft:
    """A rewriting under way."""

    original: Tree
    covered: frozenset[str]
    server: ServerWhenNeeded
    given: frozenset[str]
    unchanged: set[str] = field(default_factory=set)
    blocked: set[tuple[str, str, str]] = field(default_factory=set)
    without_down: set[str] = field(default_factory=set)
    withdrawn: list[Reason] = field(default_factory=list)
    proven: dict[tuple[tuple[str, bytes], ...], list[Complaint]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One way the folder could look."""

    tree: Tree
    fixes: tuple[Fix, ...]
    conversion: Converted
    downs: dict[str, tuple[str, str]]
    irreversible: tuple[Reason, ...]


def propose(
    tree: Tree,
    covered: frozenset[str],
    server: ServerWhenNeeded,
    *,
    given: frozenset[str] = frozenset(),
) -> Proposal:
    """Return what the covered files could be rewritten to, proven on a shadow database.

    `given` are those of them that are MySQL's whatever PostgreSQL would make of them.
    """
    draft = _Draft(tree, covered, server, given)
    attempt = _attempt(draft)
    while wrong := _complaints(draft, attempt):
        _withdraw(draft, attempt, wrong)
        attempt = _attempt(draft)
    return _proposal(draft, attempt)


def _complaints(draft: _Draft, attempt: _Attempt) -> list[Complaint]:
    """Return what the server has against an attempt, beyond what the folder deserved before."""
    if attempt.tree.files == draft.original.files:
        return []
    found = _proven(draft, attempt.tree, {down: up for down, (up, _) in attempt.downs.items()})
    if not found:
        return []
    before = _proven(draft, draft.original, {})
    unproven = [c for c in found if any(_is_in(fix, c) for fix in attempt.fixes)]
    return [*new_complaints(before, found), *unproven]


def _proven(draft: _Draft, tree: Tree, downs: dict[str, str]) -> list[Complaint]:
    """Return the complaints about a tree; what was proven once is not proven again."""
    key = tuple(sorted(tree.files.items()))
    if key not in draft.proven:
        draft.proven[key] = complaints(tree, draft.server(), downs)
    return draft.proven[key]


def _is_in(fix: Fix, wrong: Complaint) -> bool:
    """Return whether a correction was made in a statement that the server refuses as before."""
    return fix.path == wrong.path and bool(wrong.statement) and _speaks_of(wrong.statement, fix)


def _attempt(draft: _Draft) -> _Attempt:
    covered = draft.covered - draft.unchanged
    conversion = converted(draft.original, covered, draft.given)
    open_to_rules = covered - {reason.path for reason in conversion.unconverted}
    done = corrected(conversion.tree, open_to_rules, draft.blocked)
    tree, downs, irreversible = _with_downs(draft, done, open_to_rules)
    return _Attempt(tree, done.fixes, conversion, downs, irreversible)


def _with_downs(
    draft: _Draft, done: Corrected, covered: frozenset[str]
) -> tuple[Tree, dict[str, tuple[str, str]], tuple[Reason, ...]]:
    """Write a down for each file that a rule says has none."""
    tree, reasons = done.tree, []
    downs: dict[str, tuple[str, str]] = {}
    for path, finding in _lacking(done, covered).items():
        source = next(r.source for r in done.context.ups() if r.source.path == path)
        target = down_path(source)
        if target is None or target in draft.without_down or target in tree.files:
            continue
        try:
            text = _down(done.context, source)
        except Irreversible as refused:
            line = source.locate(refused.statement.start).line
            reasons.append(Reason(path, line, "down", refused.why))
            continue
        tree = tree.with_file(target, text.encode())
        downs[target] = (path, finding.rule)
    return tree, downs, tuple(reasons)


def _lacking(done: Corrected, covered: frozenset[str]) -> dict[str, Finding]:
    found = (f for f in done.findings if f.rule in _WANTING_DOWN)
    return {f.location.path: f for f in found if f.location.path in covered}


def _down(context: Context, source: Source) -> str:
    reading = next(r for r in context.readings if r.source is source)
    if reading.refusals:
        place = reading.refusals[0].broken
        statement = reading.statements[0] if reading.statements else None
        if statement is None:
            return ""
        raise Irreversible(
            replace(statement, start=place.start), "PostgreSQL does not read all of the file"
        )
    return down_of(reading, context)


def _withdraw(draft: _Draft, attempt: _Attempt, complained: list[Complaint]) -> None:
    """Take out of the draft what complaints speak against: one correction, a file, or downs.

    Downs come last, because none can be tried while its up file is refused.
    """
    wrong = next((c for c in complained if c.path not in attempt.downs), None)
    if wrong is None:
        draft.without_down |= {each.path for each in complained}
        draft.withdrawn += [Reason(c.path, c.line, "down", c.why) for c in complained]
        return
    for fix in _suspects(attempt, wrong)[:SINGLE_TRIALS_MAX]:
        draft.blocked.add(fix.key)
        left = _complaints(draft, _attempt(draft))
        if wrong.key not in {complaint.key for complaint in left}:
            subject = f"{fix.rule}: {fix.subject}"
            draft.withdrawn.append(Reason(fix.path, fix.line, subject, wrong.why))
            return
        draft.blocked.discard(fix.key)
    _withdraw_file(draft, attempt, wrong)


def _suspects(attempt: _Attempt, wrong: Complaint) -> list[Fix]:
    """Return the corrections of tables that the error speaks of, the likeliest first."""
    said = f"{wrong.statement} {wrong.why}"
    named = [fix for fix in attempt.fixes if _words(fix)[0] in said]
    return sorted(named, key=lambda fix: (not _speaks_of(said, fix), fix.path != wrong.path))


def _speaks_of(said: str, fix: Fix) -> bool:
    return all(word in said for word in _words(fix))


def _words(fix: Fix) -> list[str]:
    """Return the names in a correction's subject: `table.column`, or `table(columns)`."""
    return re.findall(r"[\w$]+", fix.subject) or [fix.subject]


def _withdraw_file(draft: _Draft, attempt: _Attempt, wrong: Complaint) -> None:
    """Leave a file as it is, its new down first; when it is not to blame, leave every file."""
    down = next((d for d, (up, _) in attempt.downs.items() if up == wrong.path), None)
    changed = {p for p, data in attempt.tree.files.items() if draft.original.files.get(p) != data}
    if down is not None and wrong.path not in changed:
        draft.without_down.add(down)
        draft.withdrawn.append(Reason(down, 1, "down", wrong.why))
        return
    blamed = {wrong.path} & changed or changed
    draft.unchanged |= {wrong.path} if wrong.path in blamed else draft.covered
    for path in sorted(blamed):
        draft.withdrawn.append(Reason(path, wrong.line, "the whole file", wrong.why))


def _proposal(draft: _Draft, attempt: _Attempt) -> Proposal:
    changes = []
    for path, data in sorted(attempt.tree.files.items()):
        before = draft.original.files.get(path)
        if before != data:
            rules = {fix.rule for fix in attempt.fixes for e in fix.edits if e.path == path}
            rules |= {"syntax-error"} if path in attempt.conversion.paths else set()
            rules |= {attempt.downs[path][1]} if path in attempt.downs else set()
            changes.append(FileChange(path, before, data, tuple(sorted(rules))))
    return Proposal(
        changes=tuple(changes),
        unconverted=(*attempt.conversion.unconverted, *attempt.irreversible),
        withdrawn=tuple(draft.withdrawn),
        notes=attempt.conversion.notes,
    )
