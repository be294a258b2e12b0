"""The soak's own arithmetic: seeds replay, and a lost, doubled or altered entry is found."""

from dataclasses import replace
from decimal import Decimal
from itertools import islice

import pytest

from tradewright.ledger import LedgerReply
from tradewright.soak.ledger.checking import Entry, Findings, check_entries
from tradewright.soak.ledger.commands import CommandStream, Kind
from tradewright.soak.ledger.effects import Effect

HOLDER, HOLD = "wallet", "hold"
TOLD = LedgerReply(HOLDER, 1, Decimal(10), Decimal(0), None, False)
EFFECTS = (
    Effect(("a", "credit"), HOLDER, "credit", Decimal(10), told=TOLD),
    Effect(("b", "reserve"), HOLDER, "reserve", Decimal(4)),
    Effect(("c", "capture"), HOLDER, "capture", Decimal(1)),
    Effect(("d", "release"), HOLDER, "release", None),
    Effect(("e", "reversal"), HOLDER, "debit", None, reverses=("a", "credit")),
)


def entry(version: int, place: int, amount: str, after: tuple[str, str]) -> Entry:
    effect = EFFECTS[place]
    hold_id = HOLD if effect.effect in {"reserve", "release", "capture"} else None
    available, reserved = (Decimal(text) for text in after)
    return Entry(
        HOLDER, version, effect.key, effect.effect, Decimal(amount), available, reserved, hold_id
    )


ENTRIES = (
    entry(1, 0, "10", ("10", "0")),
    entry(2, 1, "4", ("6", "4")),
    entry(3, 2, "1", ("6", "3")),
    entry(4, 3, "3", ("9", "0")),
    entry(5, 4, "10", ("-1", "0")),
)
BALANCES = {HOLDER: (Decimal(-1), Decimal(0))}


def check(entries: tuple[Entry, ...], effects: tuple[Effect, ...] = EFFECTS) -> Findings:
    return check_entries(entries, effects, BALANCES)


def test_what_was_done_as_told_is_sound() -> None:
    found = check(ENTRIES)
    assert found.is_sound, found.examples
    assert (found.holders, found.entries) == (1, 5)


@pytest.mark.parametrize("place", range(5))
def test_an_acknowledged_command_without_its_entry_is_lost(place: int) -> None:
    assert check(ENTRIES[:place] + ENTRIES[place + 1 :]).lost == 1


@pytest.mark.parametrize("place", range(5))
def test_an_entry_that_stands_twice_is_a_duplicate(place: int) -> None:
    assert check((*ENTRIES, ENTRIES[place])).duplicated == 1


def test_an_entry_that_nobody_asked_for_is_foreign() -> None:
    assert check(ENTRIES, EFFECTS[:2] + EFFECTS[3:]).foreign == 1


def test_a_release_of_all_that_is_left_without_a_command_is_a_sweep() -> None:
    found = check(ENTRIES, EFFECTS[:3] + EFFECTS[4:])
    assert found.is_sound
    assert found.swept == 1


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize("name", ["amount", "available_after", "reserved_after", "version"])
def test_an_altered_figure_of_any_entry_is_found(place: int, name: str) -> None:
    altered = replace(ENTRIES[place], **{name: getattr(ENTRIES[place], name) + 1})
    assert check((*ENTRIES[:place], altered, *ENTRIES[place + 1 :])).differing > 0


def test_another_balance_than_the_replay_is_found() -> None:
    found = check_entries(ENTRIES, EFFECTS, {HOLDER: (Decimal(0), Decimal(0))})
    assert found.differing == 1


def test_other_figures_than_the_client_was_told_are_found() -> None:
    told = (replace(EFFECTS[0], told=replace(TOLD, available=Decimal(11))), *EFFECTS[1:])
    assert check(ENTRIES, told).differing == 1


def test_the_same_seed_draws_the_same_commands_and_another_draws_others() -> None:
    def drawn(seed: int, session: int) -> list[object]:
        return list(islice(CommandStream(seed, session, 4), 300))

    assert drawn(3, 1) == drawn(3, 1)
    assert drawn(3, 1) != drawn(3, 2)
    assert drawn(3, 1) != drawn(4, 1)


def test_a_stream_draws_every_kind() -> None:
    commands = list(islice(CommandStream(1, 0, 4), 1_000))
    assert {command.kind for command in commands} == set(Kind)
    assert all(c.target is None or c.target < c.number for c in commands)
