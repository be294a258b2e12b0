"""What a soak of trading tells: what was done, what it set off, and what was found wrong."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tradewright.audit import LawResult
from tradewright.core.errors import ErrorCode
from tradewright.soak.plan import SoakPlan
from tradewright.soak.trading.asking import Outcome
from tradewright.soak.trading.commands import Command, Kind
from tradewright.soak.trading.office import OfficeRecord, Ruling, Told
from tradewright.soak.trading.promises import Findings
from tradewright.trading.model import OrderStatus

_CONTRADICTED = frozenset(
    {
        *(ErrorCode.ORDER_DUPLICATE_DIFFERS, ErrorCode.MONEY_IDEMPOTENCY_CONFLICT),
        ErrorCode.POSITION_AMENDMENT_DIFFERS,
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """One client's commands with what became of them."""

    commands: Sequence[Command]
    outcomes: Sequence[Outcome]
    retries: int


@dataclass(frozen=True, slots=True)
class Work:
    """What the clients did, and what the back office."""

    parts: Sequence[Part]
    office: OfficeRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found after a soak: in its record, by the laws, and of what the engines could not.

    `met` counts what was set off beside the commands.
    """

    findings: Findings
    laws: Mapping[str, LawResult]
    met: Mapping[str, int]
    failures: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TradingSoak:
    """What a soak did and found.

    `kills` counts kills by victim, `by_kind` outcomes by kind of command, `orders` orders by type
    and time in force, `refusals` by code. `unknown` are commands whose connection was lost, and
    what a repeat found. `met` is what was set off beside the commands. `wrong_answers` are repeats
    and contradictions that were not answered as such; `failures` what engines could not book.
    """

    plan: SoakPlan
    kills: Mapping[str, int]
    commands: int
    by_kind: Mapping[str, Mapping[str, int]]
    orders: Mapping[str, int]
    refusals: Mapping[str, int]
    retries: int
    unknown: Mapping[str, int]
    wrong_answers: int
    met: Mapping[str, int]
    failures: Sequence[str]
    findings: Findings
    laws: Mapping[str, LawResult]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, doubled or misreported, and every law holds."""
        laws_hold = not any(law.broken for law in self.laws.values())
        is_answered = not (self.wrong_answers or self.unknown["unresolved"] or self.failures)
        return self.findings.is_sound and is_answered and laws_hold


def told(plan: SoakPlan, kills: Mapping[str, int], work: Work, checked: Checked) -> TradingSoak:
    """Count what clients and office were told, beside what was found."""
    parts, rulings = work.parts, work.office.rulings
    return TradingSoak(
        plan=plan,
        kills=kills,
        commands=sum(len(part.outcomes) for part in parts) + len(rulings),
        by_kind=_by_kind(work),
        orders=_submitted(parts),
        refusals=_refusals(work),
        retries=sum(part.retries for part in parts) + work.office.retries,
        unknown=_unknown(work),
        wrong_answers=_wrong_answers(parts),
        met=checked.met,
        failures=checked.failures,
        findings=checked.findings,
        laws=checked.laws,
    )


def _by_kind(work: Work) -> dict[str, dict[str, int]]:
    """Count outcomes by kind of command."""
    counts: dict[str, Counter[str]] = {str(kind): Counter() for kind in (*Kind, *Told)}
    for part in work.parts:
        for command, outcome in zip(part.commands, part.outcomes, strict=True):
            counts[str(command.kind)][outcome.word] += 1
    for ruling in work.office.rulings:
        counts[str(ruling.kind)][ruling.word] += 1
    return {kind: dict(words) for kind, words in counts.items()}


def _submitted(parts: Sequence[Part]) -> dict[str, int]:
    """Count the orders that were submitted, by type and time in force."""
    counts: Counter[str] = Counter()
    for part in parts:
        for command, outcome in zip(part.commands, part.outcomes, strict=True):
            if command.kind is Kind.SUBMIT and outcome.word == "done":
                counts[f"{command.wish.order_type} {command.wish.time_in_force}"] += 1
    return dict(sorted(counts.items()))


def _refusals(work: Work) -> dict[str, int]:
    """Count refusals by code."""
    codes = Counter(one.code for one in _outcomes(work) if one.code)
    return dict(codes.most_common())


def _outcomes(work: Work) -> list[Outcome | Ruling]:
    return [*(outcome for part in work.parts for outcome in part.outcomes), *work.office.rulings]


def _unknown(work: Work) -> dict[str, int]:
    """Count the commands whose connection was lost; a client goes on only when one is resolved."""
    outcomes = _outcomes(work)
    met = [outcome for outcome in outcomes if outcome.unknowns]
    committed = sum(outcome.was_committed for outcome in met)
    unresolved = sum(outcome.word == "unresolved" for outcome in outcomes)
    return {
        "met": len(met),
        "were_committed": committed,
        "were_not": len(met) - committed - unresolved,
        "unresolved": unresolved,
    }


def _wrong_answers(parts: Sequence[Part]) -> int:
    """Count repeats that were not answered as such, and contradictions that were not refused."""
    return sum(_is_wrong(part, place) for part in parts for place in range(len(part.outcomes)))


def _is_wrong(part: Part, place: int) -> bool:
    command, outcome = part.commands[place], part.outcomes[place]
    if command.target is None or outcome.word not in {"done", "refused", "nothing"}:
        return False
    if _waited(part.outcomes[command.target]):
        return outcome.word == "nothing"
    if command.kind is Kind.CONTRADICT:
        return outcome.code not in _CONTRADICTED
    if command.kind is not Kind.REPEAT:
        return False
    return outcome.word != "done" or not getattr(outcome.report, "is_replay", False)


def _waited(outcome: Outcome) -> bool:
    """Return whether a replacement waited for its provider; once refused it is asked anew."""
    return getattr(outcome.report, "status", None) is OrderStatus.PENDING_REPLACE
