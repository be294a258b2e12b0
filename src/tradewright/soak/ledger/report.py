"""What a soak tells: how much was done, what was refused and why, and what was found wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tradewright.audit import LawResult
from tradewright.core.errors import ErrorCode
from tradewright.soak.ledger.calls import Outcome
from tradewright.soak.ledger.checking import Findings
from tradewright.soak.ledger.commands import Command, Kind
from tradewright.soak.plan import SoakPlan


@dataclass(frozen=True, slots=True)
class LedgerSoak:
    """What a soak did and found.

    `by_kind` counts outcomes (done, refused, skipped) by kind of command, `refusals` by code.
    `unknown` counts the calls whose connection was lost, and what the repeat found: committed or
    not. `wrong_answers` are repeats and contradictions that were not answered as such.
    """

    plan: SoakPlan
    kills: int
    commands: int
    by_kind: Mapping[str, Mapping[str, int]]
    refusals: Mapping[str, int]
    retries: int
    unknown: Mapping[str, int]
    wrong_answers: int
    findings: Findings
    laws: Mapping[str, LawResult]

    @property
    def is_sound(self) -> bool:
        """Whether no money was lost, doubled or misreported and every law holds."""
        laws_hold = not any(law.broken for law in self.laws.values())
        return self.findings.is_sound and self.wrong_answers == 0 and laws_hold


@dataclass(frozen=True, slots=True)
class Part:
    """One session's commands with what became of them."""

    commands: Sequence[Command]
    outcomes: Sequence[Outcome]
    retries: int


def told(
    plan: SoakPlan,
    kills: int,
    parts: Sequence[Part],
    checked: tuple[Findings, Mapping[str, LawResult]],
) -> LedgerSoak:
    """Count what the sessions were told, beside what was found."""
    findings, laws = checked
    return LedgerSoak(
        plan=plan,
        kills=kills,
        commands=sum(len(part.outcomes) for part in parts),
        by_kind=_by_kind(parts),
        refusals=_refusals(parts),
        retries=sum(part.retries for part in parts),
        unknown=_unknown([outcome for part in parts for outcome in part.outcomes]),
        wrong_answers=sum(
            _is_wrong(part, place) for part in parts for place in range(len(part.outcomes))
        ),
        findings=findings,
        laws=laws,
    )


def _by_kind(parts: Sequence[Part]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {str(kind): Counter() for kind in Kind}
    for part in parts:
        for command, outcome in zip(part.commands, part.outcomes, strict=True):
            counts[str(command.kind)][outcome.word] += 1
    return {kind: dict(words) for kind, words in counts.items()}


def _refusals(parts: Sequence[Part]) -> dict[str, int]:
    """Count refusals by code, those of single movements of a batch among them."""
    codes: Counter[str] = Counter()
    for part in parts:
        for outcome in part.outcomes:
            codes.update(word for word in (outcome.code, *outcome.words) if word.isupper())
    return dict(codes.most_common())


def _unknown(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """Count the calls whose connection was lost; a session goes on only when one is resolved."""
    met = [outcome for outcome in outcomes if outcome.unknowns]
    committed = sum(outcome.was_committed for outcome in met)
    unresolved = sum(outcome.word == "skipped" for outcome in met)
    return {
        "met": len(met),
        "were_committed": committed,
        "were_not": len(met) - committed - unresolved,
        "unresolved": unresolved,
    }


def _is_wrong(part: Part, place: int) -> bool:
    """Whether a repeat was not answered as before, or a contradiction not refused as one."""
    command, outcome = part.commands[place], part.outcomes[place]
    if outcome.word == "skipped" or command.target is None:
        return False
    if command.kind is Kind.CONTRADICT:
        return outcome.code != ErrorCode.MONEY_IDEMPOTENCY_CONFLICT
    if command.kind is not Kind.REPEAT:
        return False
    before, again = part.outcomes[command.target].reply, outcome.reply
    if before is None or again is None or not again.is_replay:
        return True
    return (before.holder_id, before.version, before.available, before.reserved) != (
        again.holder_id,
        again.version,
        again.available,
        again.reserved,
    )
