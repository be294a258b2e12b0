"""Client money: what is owed beside what is held, at any instant, to the last digit."""

from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.cast import play
from tests.compliance import Made, make, now
from tests.floor import Floor, buy, deal, refusal, sell
from tradewright import ledger
from tradewright.compliance import Scope
from tradewright.core.errors import ErrorCode
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.ledger.liabilities import read_liabilities
from tradewright.postgres.connect import Session
from tradewright.risk.model import ClientClass


def amounts(made: Made, currency: str = "USD") -> dict[tuple[str, str], Decimal]:
    return {
        (row["part"], row["item"]): row["amount"]
        for row in made.rows
        if row["currency"] == currency and row["amount"]
    }


def owner(floor: Floor, account_id: str) -> str:
    return str(floor.one("SELECT user_id::text FROM accounts WHERE id = %s", account_id))


def test_what_came_in_is_owed_and_held(floor: Floor) -> None:
    account_id = floor.account("10000")
    ledger.credit(
        floor.session,
        owner(floor, account_id),
        "USD",
        Decimal("25.50"),
        transaction_id=new_id_text(),
    )
    assert amounts(make(floor.session, "client-money")) == {
        ("owed", "accounts"): Decimal(10_000),
        ("owed", "wallets"): Decimal("25.5"),
        ("held", "clearing"): Decimal("10025.5"),
    }


def test_what_came_for_a_refused_deposit_is_owed_and_no_surplus(floor: Floor) -> None:
    floor.account("10000")
    path = (ledger.HouseCode.CLEARING_CARDS, ledger.HouseCode.SUSPENSE)
    with floor.session.transaction():
        money = Money(Decimal("12.50"), "USD")
        ledger.move_between_houses(floor.session, *path, money, key=(new_id_text(), "suspense"))
    for scope in (Scope(), Scope(end=now(floor.session))):
        assert amounts(make(floor.session, "client-money", scope)) == {
            ("owed", "accounts"): Decimal(10_000),
            ("owed", "suspense"): Decimal("12.5"),
            ("held", "clearing"): Decimal(10_000),
            ("held", "clearing_cards"): Decimal("12.5"),
        }


def test_what_clients_lose_is_the_houses_and_stays_as_a_surplus(floor: Floor) -> None:
    account_id = floor.account("10000")
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(account_id))
        deal(engine, sell(account_id))
    assert amounts(make(floor.session, "client-money")) == {
        ("owed", "accounts"): Decimal(9_990),
        ("held", "clearing"): Decimal(10_000),
        ("own", "dealing"): Decimal(-10),
        ("result", "surplus"): Decimal(10),
    }


def test_what_one_client_owes_lowers_what_no_other_is_owed(floor: Floor) -> None:
    floor.account("5000")
    ruined = floor.account("1000", leverage=500, client_class=ClientClass.PROFESSIONAL)
    with floor.engine(eurusd=("1.10000", "1.10010")) as engine:
        deal(engine, buy(ruined, 400_000))
        floor.quote(engine, "EURUSD", "1.09000", "1.09010")
    debt = -floor.balance(ruined)
    assert debt > 0
    told = amounts(make(floor.session, "client-money"))
    assert told["owed", "accounts"] == 5_000
    assert told["debts", "accounts"] == debt
    assert told["result", "surplus"] == 1_000


def test_every_side_of_each_currency_is_told_once(engine: Session) -> None:
    play(engine)
    made = make(engine, "client-money")
    assert made.facts["does_not_sum_to_zero"] == {}
    for currency in {row["currency"] for row in made.rows}:
        told = amounts(made, currency)
        signs = {"held": 1, "own": 1, "debts": 1, "owed": -1, "result": 0}
        assert sum(signs[part] * amount for (part, _), amount in told.items()) == 0
        held, owed = (
            sum(amount for (part, _), amount in told.items() if part == name)
            for name in ("held", "owed")
        )
        assert told.get(("result", "surplus"), 0) == held - owed
    stored = engine.execute(
        "SELECT sum(available + reserved) FROM user_balances WHERE currency = 'USD'"
    ).fetchone()
    assert stored == (amounts(made)["owed", "wallets"],)


def test_what_is_owed_is_what_can_be_proven_to_each_client(engine: Session) -> None:
    play(engine)
    proven = {tree.currency: tree.root.total for tree in read_liabilities(engine)}
    made = make(engine, "client-money")
    assert proven.keys() == {row["currency"] for row in made.rows if row["part"] == "owed"}
    for currency, total in proven.items():
        told = amounts(made, currency)
        owed = {item: amount for (part, item), amount in told.items() if part == "owed"}
        assert sum(owed.values()) - owed.get("suspense", 0) == total


def test_an_instant_that_has_passed_is_told_as_it_was_told_then(floor: Floor) -> None:
    chance = Random(11)  # noqa: S311 (an example, not a secret)
    session = floor.session
    accounts = [floor.account("20000") for _ in range(3)]
    told: list[tuple[Any, Any]] = []
    with floor.engine() as engine:
        for _ in range(12):
            account_id = chance.choice(accounts)
            amount = Decimal(chance.randint(1, 50_000)) / 100
            user_id = owner(floor, account_id)
            if chance.random() < 0.5:
                deal(engine, chance.choice((buy, sell))(account_id, 10_000))
            else:
                key = new_id_text()
                ledger.credit(session, user_id, "USD", amount, transaction_id=key)
            made = make(session, "client-money")
            told.append((now(session), made.rows))
            price = Decimal("1.10000") + Decimal(chance.randint(-50, 50)) / 100_000
            floor.quote(engine, "EURUSD", str(price), str(price + Decimal("0.00010")))
    for at, rows in told:
        assert make(session, "client-money", Scope(end=at)).rows == rows


def test_the_head_says_how_far_providers_were_reconciled(engine: Session) -> None:
    engine.execute(
        "INSERT INTO provider_statements (provider, digest, format) VALUES ('cards', 'a', 'csv')"
    )
    first = now(engine)
    engine.execute(
        "INSERT INTO reconciliation_breaks (provider, kind, reference, bucket, details)"
        " VALUES ('cards', 'deposit', 'r1', 'timing', '{}')"
    )
    second = now(engine)
    engine.execute("UPDATE reconciliation_breaks SET closed_at = clock_timestamp()")
    counts = []
    for end in (first, second, None):
        cards = make(engine, "client-money", Scope(end=end)).facts["reconciled"]["cards"]
        assert cards["last_statement_at"] < first
        counts.append((cards["open_breaks"], cards["oldest_break_at"] is None))
    assert counts == [(0, True), (1, False), (0, True)]


def test_what_has_not_come_yet_is_not_told(engine: Session) -> None:
    later = Scope(end=now(engine) + timedelta(minutes=5))
    error = refusal(lambda: make(engine, "client-money", later))
    assert error.code is ErrorCode.INPUT_INSTANT_FUTURE


def test_both_sides_are_the_same_at_every_instant_within_a_movement(floor: Floor) -> None:
    session, account_id = floor.session, floor.account("100")
    with floor.engine() as engine:
        deal(engine, buy(account_id, 1_000))
        deal(engine, sell(account_id, 1_000))
    stamps = floor.rows(
        "SELECT created_at FROM balance_ledger UNION SELECT created_at FROM transfers ORDER BY 1"
    )
    on_its_way = []
    for (at,) in stamps:
        made = make(session, "client-money", Scope(end=at + timedelta(microseconds=1)))
        assert made.facts["does_not_sum_to_zero"] == {}, at
        told = amounts(made)
        on_its_way.append(told.get(("owed", "on_its_way"), Decimal(0)))
        assert told["held", "clearing"] == 100
    assert sorted(set(on_its_way)) == [0, 100]  # from the wallet to the account


def test_a_ledger_that_does_not_sum_to_zero_is_said(floor: Floor) -> None:
    floor.account("100")
    session = floor.session
    session.execute("SET session_replication_role = replica")
    session.execute("DELETE FROM balance_ledger WHERE operation = 'transfer_in'")
    for scope in (Scope(), Scope(end=now(session))):
        made = make(session, "client-money", scope)
        assert made.facts["does_not_sum_to_zero"] == {"USD": 100}
