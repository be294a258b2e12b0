"""What a soak of a house tells: what was asked and answered, what was killed, what was found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tradewright.audit import LawResult
from tradewright.soak.house.asking import Asked
from tradewright.soak.house.checking import wrong_answers
from tradewright.soak.house.commands import Kind
from tradewright.soak.house.performing import ClientRecord
from tradewright.soak.plan import SoakPlan
from tradewright.soak.trading.promises import Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was found after a soak: in the record, by the laws, and of the house's own programs."""

    findings: Findings
    laws: Mapping[str, LawResult]
    executions: int
    failures: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseSoak:
    """What a soak of a house did and found.

    `kills` counts kills by program, `by_kind` outcomes by kind of command, `refusals` by code, and
    `again` why requests were sent again. `unknown` are requests whose answer was lost, and what a
    repeat found. `executions` are the provider's own. `wrong_answers` are repeats and
    contradictions that were not answered as such; `failures` are programs that ended by
    themselves, or not well when they were told to.
    """

    plan: SoakPlan
    kills: Mapping[str, int]
    commands: int
    by_kind: Mapping[str, Mapping[str, int]]
    refusals: Mapping[str, int]
    again: Mapping[str, int]
    unknown: Mapping[str, int]
    executions: int
    wrong_answers: int
    failures: Sequence[str]
    findings: Findings
    laws: Mapping[str, LawResult]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, doubled or misreported, no program failed, every law holds."""
        laws_hold = not any(law.broken for law in self.laws.values())
        is_answered = not (self.wrong_answers or self.unknown["unresolved"] or self.failures)
        return self.findings.is_sound and is_answered and laws_hold


def told(
    plan: SoakPlan, kills: Mapping[str, int], records: Sequence[ClientRecord], checked: Checked
) -> HouseSoak:
    """Count what the clients were told, beside what was found."""
    asked = [each for record in records for each in record.asked]
    codes = Counter(each.outcome.code for each in asked if each.outcome.code)
    return HouseSoak(
        plan=plan,
        kills=kills,
        commands=len(asked),
        by_kind=_by_kind(asked),
        refusals=dict(codes.most_common()),
        again=dict(sum((Counter(record.again) for record in records), Counter())),
        unknown=_unknown(asked),
        executions=checked.executions,
        wrong_answers=wrong_answers(asked),
        failures=checked.failures,
        findings=checked.findings,
        laws=checked.laws,
    )


def _by_kind(asked: Sequence[Asked]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {str(kind): Counter() for kind in Kind}
    for each in asked:
        counts[str(each.command.kind)][each.outcome.word] += 1
    return {kind: dict(words) for kind, words in counts.items()}


def _unknown(asked: Sequence[Asked]) -> dict[str, int]:
    """Count the requests whose answer was lost; a client goes on only when one is resolved."""
    outcomes = [each.outcome for each in asked]
    met = [outcome for outcome in outcomes if outcome.unknowns]
    committed = sum(outcome.was_committed for outcome in met)
    unresolved = sum(outcome.word == "unresolved" for outcome in outcomes)
    return {
        "met": len(met),
        "were_committed": committed,
        "were_not": len(met) - committed - unresolved,
        "unresolved": unresolved,
    }
