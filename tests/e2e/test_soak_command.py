"""`tradewright soak ledger`: a short run with its server killed, and what it says of itself."""

from tests.e2e.trading_day import run
from tradewright.soak.ledger.commands import Kind


def test_a_short_soak_under_kill_9_loses_and_doubles_nothing() -> None:
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
    assert set(found["by_kind"]) == {str(kind) for kind in Kind}
    assert all(law["broken"] == 0 for law in found["laws"].values())
