"""Reconstruction: what happened, in order; whether it is as it was sealed; what follows from it."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compliance import Made, make, now
from tests.db.compliance.test_order_records import rich, traded
from tests.floor import Floor, ask, buy, deal, order, refusal, sell, steady
from tradewright import audit
from tradewright.compliance import Scope
from tradewright.compliance.rebuilding import (
    Held,
    after_trade,
    balance_of,
    positions_of,
    rebuild,
)
from tradewright.core.errors import ErrorCode, StateError
from tradewright.ledger import sealing
from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk import store as risk
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Limit, LimitKind, Target
from tradewright.risk.limits import Scope as LimitScope
from tradewright.routing.model import Book
from tradewright.trading.model import CancelOrder, ReplaceOrder


def rebuilt(session: Session, **scope: Any) -> Made:
    return make(session, "reconstruction", Scope(**scope))


def kinds(made: Made) -> list[tuple[str, str]]:
    return [(row["source"], row["action"]) for row in made.rows]


def test_an_order_is_told_from_the_request_to_the_balance(
    engine_database: str, engine: Session
) -> None:
    no = steady("LP-ONE", 1, reject_probability=Decimal(1))
    floor = Floor.opened(engine_database, engine, (no, steady("LP-TWO", 2)))
    account_id = rich(floor, Book.A)
    with floor.engine() as running:
        report = deal(running, buy(account_id, stop_loss="1.09000", client_order_id="mine"))
    made = rebuilt(engine, order_id=report.order_id)
    assert kinds(made)[:2] == [("order_events", "new"), ("routing_rankings", "ranked")]
    assert set(kinds(made)[2:4]) == {
        ("provider_requests", "rejected: declined"),
        ("provider_requests", "accepted"),
    }
    assert kinds(made)[4:] == [
        ("order_events", "trade"),
        ("order_fills", "dealt by a provider"),
        ("trades", "open"),
    ]
    first, ranked, trade = made.rows[0], made.rows[1], made.rows[-1]
    assert first["details"]["asked"]["client_order_id"] == "mine"
    assert first["details"]["asked"]["stop_loss"] == Decimal("1.09000000")
    assert first["details"]["seen"]["LP-TWO"][:2] == ["1.10000", "1.10010"]
    assert [one["provider"] for one in ranked["details"]] == ["LP-ONE", "LP-TWO"]
    assert trade["before"]["quantity"] == "0"
    assert (trade["after"]["quantity"], trade["after"]["average_price"]) == ("100000", "1.1001")
    assert {row["order_id"] for row in made.rows} == {report.order_id}
    assert [row["at"] for row in made.rows] == sorted(row["at"] for row in made.rows)


def test_what_was_asked_is_told_as_it_was_asked_and_not_as_it_was_replaced(floor: Floor) -> None:
    account_id = rich(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        asked = buy(account_id, limit_price="1.09000", client_order_id="a")
        order_id = deal(engine, asked).order_id
        for old, new, price in (("a", "b", "1.09100"), ("b", "c", "1.09200")):
            deal(
                engine,
                ReplaceOrder(
                    account_id=account_id,
                    client_order_id=old,
                    new_client_order_id=new,
                    quantity=Decimal(50_000),
                    limit_price=Decimal(price),
                ),
            )
    first = rebuilt(floor.session, order_id=order_id).rows[0]["details"]["asked"]
    assert (first["quantity"], first["limit_price"]) == (100_000, Decimal("1.09"))
    assert not {"stop_price", "status", "version", "filled_quantity", "updated_at"} & first.keys()


def test_where_a_trailing_stop_began_is_not_concluded_from_where_it_stands(floor: Floor) -> None:
    account_id = rich(floor)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        order_id = deal(engine, sell(account_id, trailing_distance="0.00500")).order_id
        before = rebuilt(floor.session, order_id=order_id).rows[0]["details"]["asked"]
        floor.quote(engine, "EURUSD", "1.10100", "1.10110")
    after = rebuilt(floor.session, order_id=order_id).rows[0]["details"]["asked"]
    assert before["stop_price"] == Decimal("1.095")
    assert after == {name: told for name, told in before.items() if name != "stop_price"}


def test_a_denial_keeps_its_figures_and_its_limit(floor: Floor) -> None:
    account_id = rich(floor)
    limit = Limit(
        id="",
        kind=LimitKind.ORDER_VALUE,
        target=Target(LimitScope.ACCOUNT, account_id),
        value=Decimal(1000),
        currency="USD",
    )
    risk.set_limit(floor.session, limit, actor="anna")
    with floor.engine() as engine:
        report = deal(engine, buy(account_id))
    made = rebuilt(floor.session, order_id=report.order_id)
    assert kinds(made) == [("order_events", "rejected"), ("risk_breaches", "order_value")]
    assert made.rows[0]["details"]["seen"]["code"] == "ORDER_VALUE_EXCEEDED"
    assert made.rows[1]["details"] == {"limit": "1000", "measured": "110010", "scope": "account"}


def test_an_account_is_told_with_its_money_and_what_people_did(floor: Floor) -> None:
    session, account_id = floor.session, traded(floor)
    other = rich(floor)
    target = Target(LimitScope.ACCOUNT, account_id)
    risk.set_halt(session, HaltMode.REDUCE_ONLY, target, actor="anna", reason="under review")
    beside = Target(LimitScope.ACCOUNT, other)
    risk.set_halt(session, HaltMode.REDUCE_ONLY, beside, actor="anna", reason="another one")
    with floor.engine() as engine:
        floor.quote(engine, "EURUSD", "1.08900", "1.08910")
    made = rebuilt(session, account_id=account_id)
    counted = Counter(row["source"] for row in made.rows)
    user = floor.one("SELECT user_id::text FROM accounts WHERE id = %s", account_id)
    for source in ("accounts", "balance_ledger", "order_events", "order_fills", "trades", "users"):
        assert counted[source], source
    (halt,) = [row for row in made.rows if row["source"] == "trading_halts"]
    assert (halt["actor"], halt["details"]["changes"]["reason"]) == ("anna", "under review")
    entries = [row for row in made.rows if row["source"] == "balance_ledger"]
    wallet, own = [[e for e in entries if (e["account_id"] is None) is w] for w in (True, False)]
    assert [e["action"] for e in wallet] == ["credit", "transfer_out"]
    assert [e["action"] for e in own] == ["transfer_in", "realised_pnl"]
    assert own[-1]["after"]["available"] == f"{floor.balance(account_id).normalize():f}"
    assert {row["record_id"] for row in made.rows if row["source"] == "users"} == {user}
    assert str(other) not in {row["record_id"] for row in made.rows}


def test_an_interval_tells_all_accounts_and_nothing_before_or_after(floor: Floor) -> None:
    first = traded(floor)
    begin = now(floor.session)
    second = traded(floor)
    end = now(floor.session)
    traded(floor)
    made = rebuilt(floor.session, begin=begin, end=end)
    assert all(begin <= row["at"] < end for row in made.rows)
    accounts = {row["account_id"] for row in made.rows} - {None}
    assert accounts == {second}
    own = rebuilt(floor.session, account_id=second, begin=begin, end=end)
    told = {(row["source"], row["record_id"], row["action"]) for row in made.rows}
    assert {(row["source"], row["record_id"], row["action"]) for row in own.rows} <= told
    assert rebuilt(floor.session, account_id=first, begin=begin, end=end).rows == []


def test_an_interval_tells_what_its_accounts_tell_one_by_one(
    engine_database: str, engine: Session
) -> None:
    no = steady("LP-ONE", 1, reject_probability=Decimal(1))
    floor = Floor.opened(engine_database, engine, (no, steady("LP-TWO", 2)))
    accounts = [rich(floor, book) for book in (Book.A, Book.B, Book.HYBRID)]
    instants = [now(engine)]
    with floor.engine() as running:
        for _ in range(3):
            for account_id in accounts:
                deal(running, buy(account_id))
                deal(running, sell(account_id, stop_price="1.09000"))
            instants.append(now(engine))
        floor.quote(running, "EURUSD", "1.08900", "1.08910")
    for begin, end in pairwise([*instants, now(engine)]):
        whole = rebuilt(engine, begin=begin, end=end)
        parts = [rebuilt(engine, account_id=one, begin=begin, end=end) for one in accounts]
        assert of_orders([whole]) == of_orders(parts)
        assert {"order_events", "order_fills", "provider_requests"} <= {
            row["source"] for row in whole.rows
        }


def of_orders(reports: Sequence[Made]) -> Counter[tuple[Any, ...]]:
    names = ("at", "source", "action", "order_id", "record_id")
    return Counter(
        tuple(row[name] for name in names)
        for made in reports
        for row in made.rows
        if row["order_id"] is not None
    )


def test_an_interval_looks_fills_up_and_scans_none(engine: Session) -> None:
    end = now(engine)
    asked = {"begin": end - timedelta(hours=1), "end": end, "account_id": None, "order_id": None}
    text = load_queries("tradewright.compliance.reports")["reconstruction"]
    with engine.transaction(force_rollback=True):
        engine.execute("SET LOCAL enable_seqscan = off")
        plan = engine.execute(f"EXPLAIN {text}".encode(), asked).fetchall()
    told = "\n".join(row[0] for row in plan)
    for table in ("order_fills", "provider_requests", "routing_rankings", "order_events"):
        assert f"Seq Scan on {table}" not in told


def test_what_is_asked_for_must_have_bounds(engine: Session) -> None:
    for scope in (Scope(), Scope(begin=now(engine)), Scope(end=now(engine))):
        error = refusal(lambda scope=scope: make(engine, "reconstruction", scope))  # type: ignore[misc]
        assert error.code is ErrorCode.REPORT_SCOPE_MISSING


def proofs(made: Made, source: str) -> list[str | None]:
    return [row["proof"] for row in made.rows if row["source"] == source]


def test_each_row_says_which_seal_covers_it(floor: Floor) -> None:
    session, account_id = floor.session, traded(floor)
    unsealed = rebuilt(session, account_id=account_id)
    assert set(proofs(unsealed, "balance_ledger")) == {"waits for a seal"}
    audit.seal(session)
    sealing.seal(session)
    with floor.engine() as engine:
        floor.quote(engine, "EURUSD", "1.08900", "1.08910")
    made = rebuilt(session, account_id=account_id)
    assert proofs(made, "balance_ledger") == [
        *["ledger seal 1: as sealed"] * 3,
        "waits for a seal",
    ]
    assert set(proofs(made, "accounts")) == {"audit seal 1"}
    assert set(proofs(made, "order_events")) == {None}
    assert made.facts["audit_seals_used"] == made.facts["ledger_seals_used"] == {"1": "holds"}
    assert made.facts["entries_not_as_sealed"] == 0


def test_what_was_changed_behind_the_guards_is_found(floor: Floor) -> None:
    session, account_id = floor.session, traded(floor)
    audit.seal(session)
    sealing.seal(session)
    session.execute("SET session_replication_role = replica")
    session.execute(
        "UPDATE balance_ledger SET created_at = created_at - interval '1 us' WHERE holder_id = %s",
        (account_id,),
    )
    session.execute("UPDATE audit_log SET actor = 'nobody' WHERE row_id = %s", (account_id,))
    made = rebuilt(session, account_id=account_id)
    assert proofs(made, "balance_ledger").count("ledger seal 1: NOT as sealed") == 1
    assert made.facts["entries_not_as_sealed"] == 1
    assert made.facts["audit_seals_used"] == {"1": "does not hold"}
    session.execute("UPDATE ledger_seals SET digest = sha256('')")
    assert rebuilt(session, account_id=account_id).facts["ledger_seals_used"] == {
        "1": "does not hold"
    }


def test_a_record_that_does_not_follow_from_what_happened_does_not_agree(floor: Floor) -> None:
    session, account_id = floor.session, traded(floor)
    assert rebuilt(session, account_id=account_id).facts["state_after"]["agrees"] is True
    session.execute("SET session_replication_role = replica")
    for change in (
        "UPDATE trades SET quantity = quantity + 1000 WHERE account_id = %s",
        "UPDATE balance_ledger SET amount = amount + 1 WHERE holder_id = %s",
    ):
        with session.transaction(force_rollback=True):
            session.execute(change.encode(), (account_id,))
            assert rebuild(session, account_id, now(session)).agrees is False


class Seen(NamedTuple):
    """What the tables said of an account at an instant."""

    at: datetime
    balance: Decimal
    positions: list[tuple[str, Decimal, Decimal]]


def look(floor: Floor, account_id: str) -> Seen:
    positions = floor.rows(
        "SELECT id::text, quantity, average_price FROM positions"
        " WHERE account_id = %s AND is_open ORDER BY id::text",
        account_id,
    )
    return Seen(now(floor.session), floor.balance(account_id), positions)


steps = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 40),
        st.integers(-40, 40),
        st.sampled_from(["market", "limit", "stop", "cancel"]),
    ),
    min_size=4,
    max_size=14,
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(day=steps, hedging=st.booleans(), book=st.sampled_from([Book.A, Book.B]))
def test_balances_and_positions_at_any_instant_follow_from_what_happened(
    floor: Floor, day: Sequence[tuple[Side, int, int, str]], *, hedging: bool, book: Book
) -> None:
    group = hedgers(floor) if hedging else "standard"
    account_id = floor.account("200000", leverage=30, book=book, group=group)
    seen = [look(floor, account_id)]
    with floor.engine() as engine:
        key = ""
        for side, size, move, kind in day:
            mid = Decimal("1.10005") + Decimal(move) / 10_000
            spread = Decimal("0.00005")
            floor.quote(engine, "EURUSD", str(mid - spread), str(mid + spread))
            if kind == "cancel" and key:
                refused = CancelOrder(account_id=account_id, client_order_id=key)
                try_to(lambda refused=refused: ask(engine, refused))  # type: ignore[misc]
            else:
                key = f"{account_id}-{len(seen)}"[-60:]
                place = mid - side.sign * Decimal("0.00100")
                fields = {
                    "limit": {"limit_price": place.quantize(Decimal("0.00001"))},
                    "stop": {"stop_price": (2 * mid - place).quantize(Decimal("0.00001"))},
                }.get(kind, {})
                command = order(account_id, side, size * 1_000, client_order_id=key, **fields)
                deal(engine, command)
            seen.append(look(floor, account_id))
    for one in seen:
        state = rebuilt(floor.session, account_id=account_id, end=one.at).facts["state_after"]
        told = [(p["position_id"], p["quantity"], p["average_price"]) for p in state["positions"]]
        assert (state["balance"], told) == (one.balance, one.positions)
        assert state["agrees"] is True
        assert from_rows(rebuilt(floor.session, account_id=account_id, end=one.at)) == (
            one.balance,
            {position_id: quantity for position_id, quantity, _ in one.positions},
        )


def hedgers(floor: Floor) -> str:
    floor.session.execute(
        "INSERT INTO account_groups (code, position_mode) VALUES ('hedgers', 'hedging')"
        " ON CONFLICT (code) DO NOTHING"
    )
    return "hedgers"


def try_to(work: Callable[[], object]) -> None:
    """Do what may be refused: the order may have ended."""
    with suppress(StateError):
        work()


def from_rows(made: Made) -> tuple[Decimal, dict[str, Decimal]]:
    """Add up the rows of a reconstruction alone."""
    balance, held = Decimal(0), dict[str, Decimal]()
    for row in made.rows:
        if row["source"] == "balance_ledger" and row["account_id"] is not None:
            sign = 1 if row["details"]["effect"] == "credit" else -1
            balance += sign * Decimal(row["details"]["amount"])
        elif row["source"] == "trades":
            name = row["after"]["position"]
            held[name] = held.get(name, Decimal(0)) + Decimal(row["details"]["quantity"])
    return balance, {name: quantity for name, quantity in held.items() if quantity}


D = Decimal


@pytest.mark.parametrize(
    ("trades", "left"),
    [
        ([("open", "100", "1.1"), ("open", "300", "1.2")], ("400", "1.175")),
        ([("open", "300", "1.1"), ("close", "-100", "1.3")], ("200", "1.1")),
        ([("open", "-100", "1.1"), ("open", "-50", "1.4")], ("-150", "1.2")),
        ([("open", "3", "1"), ("open", "3", "1.00000001")], ("6", "1")),  # half to even
        (
            [("open", "100", "1.1"), ("open", "100", "1.2"), ("reverse", "-100", "1.2")],
            ("100", "1.1"),
        ),
    ],
)
def test_a_position_is_the_worked_example(
    trades: Sequence[tuple[str, str, str]], left: tuple[str, str]
) -> None:
    held = Held("p", "EURUSD", D(0), D(0))
    for effect, quantity, price in trades:
        held = after_trade(held, effect, D(quantity), D(price))
    assert (held.quantity, held.average_price) == (D(left[0]), D(left[1]))


def test_a_position_that_was_closed_is_not_held() -> None:
    opened = ("p", "EURUSD", "open", D(5), D(1), D(5), D(1))
    closed = ("p", "EURUSD", "close", D(-5), D(2), D(0), D(1))
    assert positions_of([opened, closed]) == ((), ())
    assert positions_of([opened]) == ((Held("p", "EURUSD", D(5), D(1)),),) * 2
    wrong = ("p", "EURUSD", "open", D(5), D(1), D(6), D(1))
    rebuilt_one, recorded = positions_of([wrong])
    assert rebuilt_one != recorded


def test_entries_add_up_by_their_effects() -> None:
    rows = [("credit", D(100), D(100)), ("debit", D(30), D(70)), ("reserve", D(20), D(50))]
    assert balance_of(rows) == (D(50), D(50))
    assert balance_of([*rows, ("release", D(5), D(55)), ("capture", D(15), D(55))]) == (
        D(55),
        D(55),
    )
    assert balance_of([]) == (D(0), D(0))
