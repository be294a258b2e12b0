"""Holds what clients were told against what the database kept, by plain arithmetic in Python.

Each holder's entries are replayed in the order of their versions, from zero: each must be the
effect of a command that a client was told is done (or a sweep of an expired hold, or the opening),
with the amount that the command and the holds then say, and must have led to the balances that the
entry and the client's answer name. Whatever is left over was lost; whatever has no command is
foreign; what a client was told is refused must not be there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tradewright.soak.ledger.effects import Effect, EffectKey

EXAMPLES_MAX = 5
_SIGNS: Mapping[str, tuple[int, int]] = {
    "credit": (1, 0),
    "debit": (-1, 0),
    "reserve": (-1, 1),
    "release": (1, -1),
    "capture": (0, -1),
}
"""What an effect does to available and to reserved money."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of balance_ledger, as the database gave it."""

    holder_id: str
    version: int
    key: EffectKey
    effect: str
    amount: Decimal
    available_after: Decimal
    reserved_after: Decimal
    hold_id: str | None


@dataclass(slots=True)
class Findings:
    """What the replay found; everything but the counts of holders and entries must be zero."""

    holders: int = 0
    entries: int = 0
    swept: int = 0
    lost: int = 0
    duplicated: int = 0
    foreign: int = 0
    differing: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, doubled, foreign or different."""
        return not (self.lost or self.duplicated or self.foreign or self.differing)

    def note(self, what: str) -> None:
        """Keep an example of what was found."""
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(what)


@dataclass(slots=True)
class _Holder:
    """One holder in the replay: its figures, what its holds still hold, what was taken back."""

    version: int = 0
    available: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)
    holds: dict[str, Decimal] = field(default_factory=dict)
    left: dict[EffectKey, Decimal] = field(default_factory=dict)


def check_entries(
    entries: Iterable[Entry],
    effects: Iterable[Effect],
    balances: Mapping[str, tuple[Decimal, Decimal]],
) -> Findings:
    """Replay entries against effects and balances.

    `entries` come by holder and version; `balances` are available and reserved money by holder.
    """
    findings, awaited = Findings(), _by_key(effects)
    holders: dict[str, _Holder] = defaultdict(_Holder)
    seen: Counter[EffectKey] = Counter()
    for entry in entries:
        seen[entry.key] += 1
        findings.entries += 1
        _replay(holders[entry.holder_id], entry, awaited, findings)
    findings.holders = len(balances)
    findings.duplicated = sum(count - 1 for count in seen.values())
    findings.lost = len(awaited)
    for key in list(awaited)[:EXAMPLES_MAX]:
        findings.note(f"{key[1]} of {key[0]} was acknowledged and is not there")
    for holder_id, kept in balances.items():
        holder = holders[holder_id]
        if kept != (holder.available, holder.reserved):
            findings.differing += 1
            findings.note(f"holder {holder_id} has {kept}, its replay says {holder}")
    return findings


def _by_key(effects: Iterable[Effect]) -> dict[EffectKey, Effect]:
    return {effect.key: effect for effect in effects}


def _replay(
    holder: _Holder, entry: Entry, awaited: dict[EffectKey, Effect], findings: Findings
) -> None:
    """Replay one entry, and hold it against the command that it is the effect of."""
    effect = awaited.pop(entry.key, None)
    if effect is None and entry.effect == "release" and entry.hold_id in holder.holds:
        effect = Effect(entry.key, entry.holder_id, "release", None)
        findings.swept += 1
    if effect is None:
        findings.foreign += 1
        findings.note(f"{entry} is nobody's")
        effect = Effect(entry.key, entry.holder_id, entry.effect, entry.amount)
    amount = _amount(holder, effect, entry.hold_id)
    _apply(holder, effect, amount, entry.hold_id)
    expected = (effect.holder_id, effect.effect, amount, holder.available, holder.reserved)
    found = (
        entry.holder_id,
        entry.effect,
        entry.amount,
        entry.available_after,
        entry.reserved_after,
    )
    if expected != found or entry.version != holder.version or not _was_told(effect, entry):
        findings.differing += 1
        findings.note(f"{entry} should be version {holder.version} with {expected}")


def _amount(holder: _Holder, effect: Effect, hold_id: str | None) -> Decimal:
    """Return the amount of an effect; where it was left to the ledger, all that is left."""
    if effect.amount is not None:
        return effect.amount
    if effect.reverses is not None:
        return holder.left.get(effect.reverses, Decimal(0))
    return holder.holds.get(hold_id or "", Decimal(0))


def _apply(holder: _Holder, effect: Effect, amount: Decimal, hold_id: str | None) -> None:
    to_available, to_reserved = _SIGNS[effect.effect]
    holder.version += 1
    holder.available += to_available * amount
    holder.reserved += to_reserved * amount
    if hold_id is not None:
        holder.holds[hold_id] = holder.holds.get(hold_id, Decimal(0)) + to_reserved * amount
    if effect.reverses is None:
        holder.left[effect.key] = amount
    else:
        holder.left[effect.reverses] = holder.left.get(effect.reverses, Decimal(0)) - amount


def _was_told(effect: Effect, entry: Entry) -> bool:
    """Whether the client was told the figures that the entry has."""
    told = effect.told
    return told is None or (told.holder_id, told.version, told.available, told.reserved) == (
        entry.holder_id,
        entry.version,
        entry.available_after,
        entry.reserved_after,
    )
