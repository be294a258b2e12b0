"""Days of a house for the reporting views: one of everything, spread over days, in two currencies.

What `play` writes is real and goes through the guards, and so does the money that is moved here.
The rest is written with the triggers off, and so are all times: each by its own id, so that ends of
days, of trading days and of a week lie between them, and New York's summer time begins. What the
ledger has written of one thing stays together.
"""

from datetime import timedelta
from decimal import Decimal

from tests.cast import open_account, open_user, open_wallet, play, value
from tradewright import ledger
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.ledger import Exchange, HouseCode, Movement
from tradewright.postgres.connect import Session

_SPREAD = "'2026-03-04 20:30:30+00'::timestamptz + get_byte(uuid_send({}), 15) * interval '1 hour'"
_TIMES = (
    ("transfers", "created_at", "transaction_id"),
    ("balance_ledger", "created_at", "transaction_id"),
    ("trades", "executed_at", "id"),
    ("trade_adjustments", "booked_at", "id"),
    ("position_rollovers", "booked_at", "id"),
    ("orders", "created_at", "id"),
    ("payment_transactions", "completed_at", "id"),
    ("payment_claims", "completed_at", "id"),
)
"""Table, its time, and the id under which the ledger has booked it."""


def play_days(session: Session) -> None:
    """Write one of everything and more, with odd cents in dollars and euros, over ten days."""
    play(session)
    for currency, cents in (("EUR", "0.37"), ("USD", "12.01"), ("EUR", "1.11")):
        _move(session, currency, Decimal(cents))
    _exchange(session)
    session.execute("SET session_replication_role = replica")
    _trade_in_euros(session)
    _pay(session)
    _settle(session)
    _order(session)
    _ask_providers(session)
    for table, column, id_column in _TIMES:
        spread = _SPREAD.format(id_column)
        text = f"UPDATE {table} SET {column} = {spread} WHERE {column} IS NOT NULL"
        session.execute(text.encode())
    session.execute("RESET session_replication_role")


def _move(session: Session, currency: str, cents: Decimal) -> None:
    """Pay a swap, forgive, charge, take a part of that back, and earn by a hedge."""
    houses, user_id = ledger.house_holder_ids(session, currency), open_user(session)
    wallet_id = open_wallet(session, user_id, "100.03", currency)
    account_id = open_account(session, user_id, currency)
    paths = (
        ("swap", houses[HouseCode.SWAPS], wallet_id),
        ("nbp_adjustment", houses[HouseCode.NEGATIVE_BALANCE], account_id),
        ("account_fee", wallet_id, houses[HouseCode.FEES]),
        ("swap_free_fee", wallet_id, houses[HouseCode.FEES]),
    )
    for operation, giver, receiver in paths:
        movement = Movement(
            transaction_id=new_id_text(),
            operation=operation,
            debit_id=giver,
            credit_id=receiver,
            currency=currency,
            amount=cents,
        )
        with session.transaction():
            assert ledger.post_movements(session, [movement])[0].error is None
    key = (movement.transaction_id, "swap_free_fee")
    ledger.reverse(session, key, transaction_id=new_id_text(), amount=Decimal("0.13"))
    with session.transaction():
        path = (HouseCode.LIQUIDITY, HouseCode.DEALING)
        key = (new_id_text(), "hedge_pnl")
        ledger.move_between_houses(session, *path, Money(cents, currency), key=key)


def _exchange(session: Session) -> None:
    user_id = open_user(session)
    open_wallet(session, user_id, "100.03", "EUR")
    rate = {"mid_rate": Decimal("1.0837"), "spread": Decimal("0.002")}
    asked = Exchange(from_currency="EUR", to_currency="USD", amount=Decimal("33.33"), **rate)
    ledger.exchange(session, user_id, asked, transaction_id=new_id_text())


def _trade_in_euros(session: Session) -> None:
    """Copy the dollar account's trades to one in euros, with other cents, and with its entries."""
    account_id = open_account(session, open_user(session), "EUR")
    session.execute(
        "WITH position AS (INSERT INTO positions (id, account_id, symbol, quantity, average_price,"
        " is_open, version, closed_at) VALUES (uuidv7(), %s, 'EURUSD', 0, 1, false, 9, now())"
        " RETURNING id), traded AS (INSERT INTO trades (id, account_id, fill_id, position_id,"
        " position_version, effect, quantity, price, conversion_rate, realised_pnl, commission,"
        " position_quantity, position_average_price, position_realised_pnl) SELECT uuidv7(), %s,"
        " t.fill_id, p.id, row_number() OVER (), 'close', t.quantity, t.price, 1,"
        " t.realised_pnl - 3.77, 0.07, 0, 1, 0 FROM trades AS t, position AS p"
        " WHERE t.effect <> 'reverse' AND t.fill_id IS NOT NULL RETURNING *)"
        " INSERT INTO balance_ledger (holder_id, version, user_id, currency, transaction_id,"
        " operation, effect, amount, available_before, available_after, reserved_before,"
        " reserved_after, transfer_id) SELECT t.account_id, row_number() OVER (), uuidv7(), 'EUR',"
        " t.id, e.operation, CASE WHEN e.amount < 0 THEN 'debit' ELSE 'credit' END, abs(e.amount),"
        " -least(e.amount, 0), greatest(e.amount, 0), 0, 0, uuidv7() FROM traded AS t CROSS JOIN"
        " LATERAL (VALUES ('realised_pnl', t.realised_pnl), ('commission', -t.commission))"
        " AS e (operation, amount)",
        (account_id, account_id),
    )


def _pay(session: Session) -> None:
    """Pay in and out in both currencies; reverse, fail, refund and dispute some of it."""
    user_id = open_user(session)
    session.execute(
        "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, counted_rate,"
        " counted_amount, provider,"
        " reference, status, arrived_at, completed_at) SELECT uuidv7(), %s, p.kind, c.code,"
        " p.amount, 1, p.amount, 'cards', p.kind || p.amount || c.code, p.status, now(),"
        " CASE WHEN p.status <> 'processing' THEN now() END FROM (VALUES"
        " ('deposit', 'succeeded', 10.01), ('deposit', 'succeeded', 0.07),"
        " ('deposit', 'reversed', 3.33), ('deposit', 'failed', 9.99),"
        " ('withdrawal', 'succeeded', 4.44), ('withdrawal', 'processing', 8.88)"
        ") AS p (kind, status, amount), (VALUES ('EUR'), ('USD')) AS c (code)",
        (user_id,),
    )
    session.execute(
        "INSERT INTO payment_claims (id, kind, payment_id, amount, reference, reason, status,"
        " hold_id, completed_at) SELECT uuidv7(), c.kind, p.id, c.amount,"
        " c.kind || c.amount || p.currency, 'odd', c.status, uuidv7(),"
        " CASE WHEN c.status <> 'opened' THEN now() END FROM payment_transactions AS p, (VALUES"
        " ('refund', 1.01, 'failed'), ('refund', 1.03, 'succeeded'), ('dispute', 2.02, 'won'),"
        " ('dispute', 2.07, 'lost'), ('dispute', 0.05, 'opened')"
        ") AS c (kind, amount, status) WHERE p.amount = 10.01",
    )


def _settle(session: Session) -> None:
    """Settle a fee of each of them, of one that came back, and of one that nobody knows."""
    session.execute(
        "WITH told AS (INSERT INTO provider_statements (provider, digest, format, withdrawn_before)"
        " VALUES ('cards', repeat('0d', 32), 'csv', 0) RETURNING id), lines AS ("
        " INSERT INTO provider_statement_lines (statement_id, line_number, kind, reference,"
        " currency, amount, fee, booked_on) SELECT told.id, row_number() OVER (), l.kind,"
        " l.reference, l.currency, 1, 0.29, DATE '2026-03-05' + l.later FROM told, ("
        " SELECT kind, reference, currency, 0 AS later FROM payment_transactions"
        " WHERE amount IN (10.01, 4.44) UNION ALL SELECT 'return', reference, currency, 3"
        " FROM payment_transactions WHERE amount = 4.44 UNION ALL"
        " SELECT c.kind, c.reference, p.currency, 1 FROM payment_claims AS c"
        " JOIN payment_transactions AS p ON p.id = c.payment_id WHERE c.reference IS NOT NULL"
        " UNION ALL SELECT 'deposit', 'of nobody', 'EUR', 0) AS l RETURNING statement_id,"
        " line_number) INSERT INTO payment_settlement_lines (statement_id, line_number,"
        " settlement_id) SELECT statement_id, line_number, uuidv7() FROM lines"
    )


def _order(session: Session) -> None:
    """Add orders that ended in each way, and one that lives."""
    session.execute(
        "INSERT INTO orders (id, account_id, client_order_id, symbol, side, order_type,"
        " time_in_force, origin, book, quantity, filled_quantity, remaining_quantity,"
        " average_price, limit_price, status, is_routed, refused_by, refusal_code, version)"
        " SELECT uuidv7(), a.id, 'odd-' || w.seq || '-' || a.id, 'EURUSD',"
        " CASE row_number() OVER (PARTITION BY w.seq ORDER BY a.id) % 2 WHEN 0 THEN 'buy'"
        " ELSE 'sell' END, 'limit', 'gtc',"
        " w.origin, 'A', 3, w.filled, w.remaining, CASE WHEN w.filled > 0 THEN 1.1 END, 1.1,"
        " w.status, false, w.refused_by, w.refused_by, 1 FROM accounts AS a, (VALUES"
        " (1, 'client', 0, 0, 'rejected', 'house'), (2, 'client', 0, 0, 'rejected', 'provider'),"
        " (3, 'client', 0, 0, 'canceled', NULL), (4, 'client', 1, 0, 'canceled', NULL),"
        " (5, 'client', 0, 0, 'expired', NULL), (6, 'client', 1, 2, 'partially_filled', NULL),"
        " (7, 'client', 0, 3, 'new', NULL), (8, 'stop_out', 3, 0, 'filled', NULL)"
        ") AS w (seq, origin, filled, remaining, status, refused_by)"
    )


def _ask_providers(session: Session) -> None:
    """Ask a provider again and again, on two days, with every kind of answer and of price."""
    session.execute(
        "WITH asked AS (INSERT INTO provider_requests (id, request_id, order_id, provider_id,"
        " quantity, price, is_accepted, filled_quantity, reason, hold_ms, requested_at, decided_at)"
        " SELECT uuidv7(), o.id || '-' || w.seq || '-odd', o.id, p.id, 1000, w.price, w.filled > 0,"
        " w.filled, w.reason, w.hold_ms + row_number() OVER (), w.at, w.at + interval '1 second'"
        " FROM liquidity_providers AS p, orders AS o, (VALUES"
        " (1, 1.10005, 1000, NULL, 17, '2026-03-06 21:59:00+00'::timestamptz),"
        " (2, 1.10005, 400, NULL, 40, '2026-03-06 21:59:10+00'),"
        " (3, NULL, 600, NULL, 101, '2026-03-06 21:59:20+00'),"
        " (4, 1.1, 0, 'last_look', 99, '2026-03-06 21:59:30+00'),"
        " (5, 1.1, 0, 'last_look', 3, '2026-03-06 22:00:00+00'),"
        " (6, 1.1, 0, 'not_connected', 0, '2026-03-06 22:00:10+00'),"
        " (7, 1.1, 0, 'unknown_request', 2000, '2026-03-08 21:30:00+00'),"
        " (8, 1.1, 7, NULL, 12, '2026-03-09 21:30:00+00')"
        ") AS w (seq, price, filled, reason, hold_ms, at) WHERE o.client_order_id LIKE 'odd-8-%'"
        " RETURNING *) INSERT INTO order_fills (id, order_id, quantity, price, provider_id,"
        " provider_execution_id, quoted_at) SELECT uuidv7(), order_id, filled_quantity,"
        " 1.10002 + hold_ms * 0.000001, provider_id, request_id, requested_at + interval '2 ms'"
        " FROM asked WHERE is_accepted"
    )


def make_old(session: Session, name: str, age: timedelta) -> None:
    """Let a view's last refresh be of long ago, as if the clock had gone on without another."""
    session.execute("SET session_replication_role = replica")
    session.execute(
        "UPDATE view_refreshes SET started_at = clock_timestamp() - %(age)s - interval '1 second',"
        " as_of = clock_timestamp() - %(age)s WHERE view_name = %(name)s",
        {"name": name, "age": age},
    )
    session.execute("RESET session_replication_role")


def charge(session: Session, amount: str) -> None:
    user_id = open_user(session)
    open_wallet(session, user_id)
    ledger.debit(
        session,
        user_id,
        "USD",
        Decimal(amount),
        transaction_id=new_id_text(),
        house=ledger.HouseCode.FEES,
    )


def spoil(session: Session, name: str) -> None:
    """Take its unique index from a view: it cannot be refreshed beside its readers then."""
    index = value(
        session,
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique"
        " AND indrelid = %s::text::regclass",
        name,
    )
    session.execute(f"DROP INDEX {index}".encode())
