"""`tradewright soak`: short runs with everything killed, and what they say of themselves."""

from tests.e2e.trading_day import run
from tradewright.soak.house import commands as house_commands
from tradewright.soak.ledger import commands as ledger_commands
from tradewright.soak.trading import commands as trading_commands
from tradewright.soak.trading import office


def test_a_short_soak_of_the_ledger_under_kill_9_loses_and_doubles_nothing() -> None:
    ended = run(
        *("soak", "ledger", "--seconds", "3", "--sessions", "3"),
        *("--seed", "11", "--kill", "1", "--json"),
    )
    assert ended.code == 0, ended.out + ended.err
    found = ended.json
    assert found["is_sound"]
    assert found["kills"] == 1
    assert found["findings"]["lost"] == found["findings"]["duplicated"] == 0
    assert found["findings"]["foreign"] == found["findings"]["differing"] == 0
    assert found["unknown"]["unresolved"] == found["wrong_answers"] == 0
    assert found["findings"]["entries"] > 100
    assert set(found["by_kind"]) == {str(kind) for kind in ledger_commands.Kind}
    assert all(law["broken"] == 0 for law in found["laws"].values())


def test_a_short_soak_of_trading_under_kill_9_gives_the_same_rows_as_its_replay() -> None:
    ended = run(
        *("soak", "trading", "--seconds", "5", "--sessions", "3"),
        *("--seed", "11", "--kill", "1", "--json"),
    )
    assert ended.code == 0, ended.out + ended.err
    found = ended.json
    assert found["is_sound"]
    assert found["kills"] == {"server": 1, "engines": 1}
    assert {name: count for name, count in found["findings"].items() if count} == {}
    assert found["unknown"]["unresolved"] == found["wrong_answers"] == 0
    assert found["commands"] > 50
    assert found["met"]["fills"] > 10
    assert set(found["by_kind"]) == {str(kind) for kind in (*trading_commands.Kind, *office.Told)}
    assert all(law["broken"] == 0 for law in found["laws"].values())


def test_a_short_soak_of_a_house_keeps_what_its_clients_were_told_over_http() -> None:
    ended = run(
        *("soak", "house", "--seconds", "6", "--sessions", "2"),
        *("--seed", "11", "--kill", "1", "--json"),
    )
    assert ended.code == 0, ended.out + ended.err
    found = ended.json
    assert found["is_sound"]
    victims = ("server", "engine", "provider", "front-0", "front-1")
    assert [found["kills"][victim] for victim in victims] == [1] * 5
    assert {name: count for name, count in found["findings"].items() if count} == {}
    assert found["unknown"]["unresolved"] == found["wrong_answers"] == 0
    assert found["failures"] == []
    assert found["by_kind"]["order"]["done"] > 3
    assert set(found["by_kind"]) == {str(kind) for kind in house_commands.Kind}
    assert all(law["broken"] == 0 for law in found["laws"].values())
