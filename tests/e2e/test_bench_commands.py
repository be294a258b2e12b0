"""The benchmarks run to their end on a small load, keep every law, and tell what they measured.

How fast anything is, is no test: the machines are shared.
"""

from tests.e2e.trading_day import run


def measured(*words: str) -> dict[str, object]:
    ended = run("bench", *words, "--rounds", "1", "--seconds", "1", "--json")
    assert ended.code == 0, ended.out + ended.err
    answer: dict[str, object] = ended.json
    return answer


def test_orders_are_booked_by_all_writers_by_one_and_in_a_full_house() -> None:
    answer = measured("orders", "--submitters", "8", "--positions", "300", "--resting", "300")
    sides = answer["sides"]
    assert isinstance(sides, dict)
    assert list(sides) == ["tpc_b", "orders", "one_writer", "half_load", "full_house"]
    assert all(side["per_second"] > 0 for side in sides.values())
    assert sides["orders"]["target"] == 2.0
    assert sides["orders"]["ratio"] == sides["orders"]["ratios"][0]
    half = sides["orders"]["per_second"] / 2
    assert abs(sides["half_load"]["per_second"] - half) < 2
    assert answer["orders_booked"]
    assert answer["writers_ratio"]
    assert answer["flat"]


def test_quotes_pass_what_is_watched_and_set_off_margin_checks() -> None:
    answer = measured("quotes", "--resting", "500", "--accounts", "200")
    assert isinstance(answer["quotes"], int)
    assert answer["quotes"] >= 10_000
    assert answer["target"] == 50_000
    assert answer["proposed"]


def test_ledger_calls_and_batches_stand_beside_tpc_b() -> None:
    answer = measured("ledger", "--wallets", "1000")
    sides = answer["sides"]
    assert isinstance(sides, dict)
    assert sides["tpc_b"]["ratio"] == 1.0
    assert {name for name, side in sides.items() if side["target"] is not None} == {
        "credit",
        "reserve",
        "credit_hot",
        "reserve_hot",
        "batch_100_writers_2",
        "batch_1000_writers_2",
    }
    assert sides["batch_1000_writers_2"]["per_second"] > sides["credit_hot"]["per_second"]
