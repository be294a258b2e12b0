"""The cast of the database tests: users, wallets, an account, and what they did, as real rows.

Everything is written through the ledger's own functions and through the guards, so a test begins
with a database in which every law holds. Each function takes a session in autocommit.
"""

from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from tests.floor import market_of, order
from tradewright import ledger, payments
from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.core.money import Money
from tradewright.core.trading_day import end_of_day
from tradewright.ledger import HouseCode, Movement
from tradewright.liquidity.model import Side
from tradewright.payments import Provider
from tradewright.payments.claims import ClaimKind, ClaimOrder, open_claim
from tradewright.payments.clearing import CLEARING
from tradewright.payments.reconciliation.service import import_statement
from tradewright.payments.reconciliation.settlement import settle
from tradewright.payments.steps import lock
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Pipeline
from tradewright.trading.amendments import AmendPosition
from tradewright.trading.batch import Trading, book_batch
from tradewright.trading.corrections import Decision, Settlement, settle_correction
from tradewright.trading.model import ClosePosition, Command
from tradewright.trading.pairings import CloseBy
from tradewright.trading.reference import read_reference
from tradewright.trading.swap_store import set_swap_terms
from tradewright.trading.swaps import RollOver, SwapForm, SwapTerms


def value(session: Session, query: str, *parameters: object) -> object:
    """Return the one value of a query's one row."""
    row = session.execute(query.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def open_user(session: Session, *, kyc_level: int = 2, role: str | None = None) -> str:
    """Open a user and return the id."""
    user_id = new_id_text()
    session.execute(
        "INSERT INTO users (id, email, client_class, kyc_level) VALUES (%s, %s, 'retail', %s)",
        (user_id, f"{user_id}@example.org", kyc_level),
    )
    if role is not None:
        session.execute("INSERT INTO user_roles (user_id, role) VALUES (%s, %s)", (user_id, role))
    return user_id


def open_account(session: Session, user_id: str, currency: str = "USD") -> str:
    """Open a trading account and return its id."""
    account_id = new_id_text()
    with session.transaction():
        session.execute(
            "INSERT INTO ledger_holders (id, kind, currency) VALUES (%s, 'account', %s)",
            (account_id, currency),
        )
        session.execute(
            "INSERT INTO accounts (id, user_id, currency, leverage) VALUES (%s, %s, %s, 30)",
            (account_id, user_id, currency),
        )
    return account_id


def open_wallet(session: Session, user_id: str, amount: str = "100", currency: str = "USD") -> str:
    """Open a wallet by a first credit and return its holder id."""
    reply = ledger.credit(session, user_id, currency, Decimal(amount), transaction_id=new_id_text())
    return reply.holder_id


@dataclass(frozen=True, slots=True)
class Cast:
    """A day's rows: ids of everything that `play` has written."""

    user_id: str
    officer_id: str
    account_id: str
    wallet_id: str
    hold_id: str
    deposit_id: str
    withdrawal_id: str
    dispute_id: str
    order_ids: tuple[str, str]
    fill_ids: tuple[str, str]
    trade_ids: tuple[str, str]
    position_id: str
    hedger_id: str
    hedged_id: str
    close_by_id: str


def _measure(session: Session, user_id: str, fill_id: str) -> None:
    """Measure a fill after which the middle stayed at its price."""
    session.execute("INSERT INTO client_profiles (user_id, trade_count) VALUES (%s, 1)", (user_id,))
    session.execute(
        "INSERT INTO client_measures (user_id, kind, number, fill_id, measured_at, mid_1s, mid_10s,"
        " mid_60s, markout_1s_bps, markout_10s_bps, markout_60s_bps)"
        " SELECT %s, 'fill', 1, id, clock_timestamp(), price, price, price, 0, 0, 0"
        " FROM order_fills WHERE id = %s",
        (user_id, fill_id),
    )


def play(session: Session) -> Cast:
    """Write one of everything: payments, a hold, a reversal, trades, a margin call, a seal."""
    user_id, officer_id = open_user(session), open_user(session, role="payments_officer")
    account_id = open_account(session, user_id)
    deposit_id = _deposit(session, user_id, Decimal(1000))
    withdrawal_id = _withdrawal(session, user_id, Decimal(100))
    ledger.transfer_to_account(session, account_id, Decimal(500), transaction_id=new_id_text())
    hold = ledger.reserve(
        session,
        user_id,
        "USD",
        Decimal("30.50"),
        transaction_id=new_id_text(),
        purpose="dispute",
    )
    ledger.release(session, str(hold.hold_id), transaction_id=new_id_text(), amount=Decimal(10))
    key = new_id_text()
    ledger.credit(session, user_id, "USD", Decimal(5), transaction_id=key)
    ledger.reverse(session, (key, "credit"), transaction_id=new_id_text(), amount=Decimal(2))
    provider_id = list_market(session)
    position_id = new_id_text()
    bought = _trade(session, account_id, provider_id, position_id, side="buy")
    sold = _trade(session, account_id, provider_id, position_id, side="sell")
    session.execute(
        "INSERT INTO margin_calls (id, account_id, margin_level, equity, used_margin, market_at)"
        " VALUES (uuidv7(), %s, 90, 45, 50, clock_timestamp())",
        (account_id,),
    )
    _house_hedge(session, provider_id)
    _measure(session, user_id, bought[1])
    dispute_id = _dispute(session)
    _settlement(session)
    hedger_id, hedged_id, close_by_id = _hedge(session, user_id)
    _adjust(session, provider_id, hedger_id, hedged_id)
    _bust(session, provider_id, open_account(session, user_id))
    session.execute("SELECT seal_audit_log()")
    return Cast(
        user_id=user_id,
        officer_id=officer_id,
        account_id=account_id,
        wallet_id=hold.holder_id,
        hold_id=str(hold.hold_id),
        deposit_id=deposit_id,
        withdrawal_id=withdrawal_id,
        dispute_id=dispute_id,
        order_ids=(bought[0], sold[0]),
        fill_ids=(bought[1], sold[1]),
        trade_ids=(bought[2], sold[2]),
        position_id=position_id,
        hedger_id=hedger_id,
        hedged_id=hedged_id,
        close_by_id=close_by_id,
    )


def list_market(session: Session) -> str:
    """List EURUSD and one provider, whose id is returned."""
    session.execute(
        "INSERT INTO instruments (symbol, base_currency, quote_currency, asset_class,"
        " quantity_step, quantity_min, quantity_max, price_tick, leverage_max,"
        " leverage_max_retail, commission_per_million)"
        " VALUES ('EURUSD', 'EUR', 'USD', 'fx_major', 1, 1, 1000000, 0.00001, 500, 30, 20)"
    )
    return str(
        value(
            session,
            "INSERT INTO liquidity_providers (code, priority) VALUES ('LP-ONE', 1) RETURNING id",
        )
    )


def _house_hedge(session: Session, provider_id: str) -> None:
    """Let the house buy 1,000 EURUSD at 1.10 and sell them again at 1.11: 10 USD."""
    for seq, (side, exposure, price) in enumerate((("buy", -2000, "1.10"), ("sell", 2000, "1.11"))):
        hedge_id, fill_id = new_id_text(), new_id_text()
        with session.transaction():
            session.execute(
                "INSERT INTO hedges (id, symbol, side, quantity, filled_quantity, status, exposure,"
                " exposure_limit, target, decided_at) VALUES (%s, 'EURUSD', %s, 1000, 1000,"
                " 'filled', %s, 1000, 1000, clock_timestamp())",
                (hedge_id, side, exposure),
            )
            session.execute(
                "INSERT INTO hedge_fills (id, hedge_id, symbol, seq, provider_id,"
                " provider_execution_id, quantity, price, realised_pnl, position_quantity,"
                " position_average_price, executed_at) VALUES (%s, %s, 'EURUSD', %s, %s, %s, %s,"
                " %s, %s, %s, 1.10, clock_timestamp())",
                (
                    *(fill_id, hedge_id, seq + 1, provider_id, fill_id, -1000 if seq else 1000),
                    *(price, 10 if seq else 0, 0 if seq else 1000),
                ),
            )
            session.execute(
                "INSERT INTO exposure_changes (symbol, change) VALUES ('EURUSD', %s)",
                (-1000 if seq else 1000,),
            )
            if seq:
                path = (HouseCode.LIQUIDITY, HouseCode.DEALING)
                money = Money(Decimal(10), "USD")
                ledger.move_between_houses(session, *path, money, key=(fill_id, "hedge_pnl"))


def _adjust(session: Session, provider_id: str, account_id: str, position_id: str) -> None:
    """Let the provider correct the price of 2,000 by 0.0005, and give the account 1 USD."""
    adjustment_id = new_id_text()
    with session.transaction():
        session.execute(
            "WITH told AS (INSERT INTO provider_corrections (provider_id, kind, execution_id)"
            " VALUES (%s, 'correction', 'G-1') RETURNING id), decided AS (INSERT INTO"
            " provider_correction_settlements (correction_id, settlement, actor, reason,"
            " approved_by) SELECT id, 'adjusted', 'user:anna', 'their error', 'user:ben' FROM told"
            " RETURNING correction_id) INSERT INTO trade_adjustments (trade_id, correction_id, id,"
            " price_before, price, amount)"
            " SELECT t.id, d.correction_id, %s, t.price, t.price - 0.0005, 1 FROM decided AS d,"
            " trades AS t WHERE t.position_id = %s AND t.position_version = 1",
            (provider_id, adjustment_id, position_id),
        )
        given = Movement(
            transaction_id=adjustment_id,
            operation="price_adjustment",
            debit_id=ledger.house_holder_ids(session, "USD")[HouseCode.DEALING],
            credit_id=account_id,
            currency="USD",
            amount=Decimal(1),
        )
        assert ledger.post_movements(session, [given])[0].error is None


def _bust(session: Session, provider_id: str, account_id: str) -> None:
    """Let the provider take back what an account has bought of it, and reverse that."""
    _trade(session, account_id, provider_id, new_id_text(), side="buy", execution_id="E-1")
    bust_id = value(
        session,
        "INSERT INTO provider_corrections (provider_id, kind, execution_id, refers_to)"
        " SELECT id, 'bust', 'H-1', 'E-1' FROM liquidity_providers RETURNING id::text",
    )
    decision = Decision(Settlement.REVERSED, "user:anna", "their error", "user:ben")
    with session.transaction():
        settle_correction(session, str(bust_id), decision)


def open_position(session: Session, account_id: str) -> str:
    """Let an account buy 1,000 EURUSD of the listed provider; return the position's id."""
    provider_id, position_id = (
        str(value(session, "SELECT id FROM liquidity_providers")),
        new_id_text(),
    )
    _trade(session, account_id, provider_id, position_id, side="buy")
    return position_id


def _deposit(
    session: Session, user_id: str, amount: Decimal, provider: Provider = Provider.DIRECT
) -> str:
    payment_id = new_id_text()
    with session.transaction():
        session.execute(
            "INSERT INTO payment_transactions"
            " (id, user_id, kind, currency, amount, counted_rate, counted_amount, provider,"
            " reference) VALUES (%s, %s, 'deposit', 'USD', %s, 1, %s, %s, %s)",
            (payment_id, user_id, amount, amount, provider, f"ch_{payment_id}"),
        )
        house = CLEARING[provider]
        ledger.credit(session, user_id, "USD", amount, transaction_id=payment_id, house=house)
        session.execute(
            "UPDATE payment_transactions SET status = 'succeeded', arrived_at = clock_timestamp(),"
            " completed_at = clock_timestamp() WHERE id = %s",
            (payment_id,),
        )
    return payment_id


def _withdrawal(session: Session, user_id: str, amount: Decimal) -> str:
    payment_id = new_id_text()
    with session.transaction():
        session.execute(
            "INSERT INTO payment_transactions"
            " (id, user_id, kind, currency, amount, counted_rate, counted_amount)"
            " VALUES (%s, %s, 'withdrawal', 'USD', %s, 1, %s)",
            (payment_id, user_id, amount, amount),
        )
        reply = ledger.reserve(
            session, user_id, "USD", amount, transaction_id=payment_id, purpose="withdrawal"
        )
        session.execute(
            "UPDATE payment_transactions SET status = 'processing', hold_id = %s WHERE id = %s",
            (reply.hold_id, payment_id),
        )
    return payment_id


def _dispute(session: Session) -> str:
    """Open a dispute on a deposit of which 40 of 50 are gone, and credit 10 more."""
    user_id, dispute_id = open_user(session), new_id_text()
    deposit_id = _deposit(session, user_id, Decimal(50))
    ledger.debit(session, user_id, "USD", Decimal(40), transaction_id=new_id_text())
    order = ClaimOrder(
        claim_id=dispute_id, kind=ClaimKind.DISPUTE, amount=Decimal(50), reason="fraud"
    )
    with session.transaction():
        open_claim(session, lock(session, deposit_id), order, lends=True)
    assert payments.read_debts(session, user_id) == {"USD": 40}
    ledger.credit(session, user_id, "USD", Decimal(10), transaction_id=new_id_text())
    return dispute_id


def _settlement(session: Session) -> None:
    """Settle a day of the cards on which 50 came in, for a fee of 1."""
    deposit_id = _deposit(session, open_user(session), Decimal(50), Provider.CARDS)
    statement = (
        "kind,reference,currency,amount,fee,booked_on\n"
        f"deposit,ch_{deposit_id},USD,50,1.00,2026-01-13\n"
    )
    with session.transaction():
        import_statement(session, Provider.CARDS, statement.encode())
        settle(session, Provider.CARDS, date(2026, 1, 13))


def _hedge(session: Session, user_id: str) -> tuple[str, str, str]:
    """Open 2,000 long and 1,000 short, close one by the other, then 400 of what is left.

    Returns the ids of the account, of the position that stays open, and of the pairing.
    """
    account_id = open_account(session, user_id)
    session.execute(
        "INSERT INTO account_groups (code, position_mode, margin_price)"
        " VALUES ('hedged', 'hedging', 'open')"
    )
    session.execute("UPDATE accounts SET group_code = 'hedged' WHERE id = %s", (account_id,))
    ledger.transfer_to_account(session, account_id, Decimal(200), transaction_id=new_id_text())
    market = market_of({"EURUSD": ("1.10000", "1.10010")})
    trading = Trading(read_reference(session), market, nullcontext())
    pipeline, close_by_id = Pipeline(session), new_id_text()

    def book(*commands: Command) -> None:
        for answer in book_batch(pipeline, trading, commands).answers:
            assert not isinstance(answer, TradewrightError), answer

    book(order(account_id, Side.BUY, 2000), order(account_id, Side.SELL, 1000))
    rows = session.execute(
        "SELECT id::text FROM positions WHERE account_id = %s ORDER BY quantity DESC", (account_id,)
    ).fetchall()
    hedged_id, by_id = rows[0][0], rows[1][0]
    book(
        AmendPosition(
            account_id=account_id,
            amendment_id=new_id_text(),
            position_id=hedged_id,
            symbol="EURUSD",
            stop_loss=Decimal("1.05"),
        )
    )
    book(
        CloseBy(
            account_id=account_id,
            close_by_id=close_by_id,
            position_id=hedged_id,
            by_position_id=by_id,
            symbol="EURUSD",
        )
    )
    book(
        ClosePosition(
            account_id=account_id,
            position_id=hedged_id,
            symbol="EURUSD",
            quantity=Decimal(400),
            client_order_id="a-part",
        )
    )
    set_swap_terms(session, EURUSD_SWAPS)
    market.advance(end_of_day(EURUSD_SWAPS.effective_on))
    book(RollOver(account_id=account_id, through=EURUSD_SWAPS.effective_on))
    return account_id, hedged_id, close_by_id


EURUSD_SWAPS = SwapTerms(
    symbol="EURUSD",
    effective_on=date(2026, 1, 13),
    form=SwapForm.POINTS,
    long_rate=Decimal("-7.5"),
    short_rate=Decimal("2.5"),
    currency="USD",
)


def _trade(
    session: Session,
    account_id: str,
    provider_id: str,
    position_id: str,
    *,
    side: str,
    execution_id: str | None = None,
) -> tuple[str, str, str]:
    """Fill one order of 1,000 EURUSD: the buy opens the position, the sell closes it for 10 USD.

    The house deals, or the provider if there is an execution of it.
    """
    order_id, fill_id, trade_id = new_id_text(), new_id_text(), new_id_text()
    is_buy = side == "buy"
    price, quantity = ("1.10", 1000) if is_buy else ("1.11", -1000)
    with session.transaction():
        session.execute(
            "WITH events AS ("
            " INSERT INTO order_events (order_id, seq, event_type, from_status, to_status,"
            " quantity, price, actor) VALUES (%(id)s, 1, 'new', NULL, 'new', NULL, NULL, 'trader'),"
            " (%(id)s, 2, 'trade', 'new', 'filled', 1000, %(price)s, 'trader'))"
            " INSERT INTO orders (id, account_id, client_order_id, symbol, side, order_type,"
            " time_in_force, origin, book, quantity, filled_quantity, remaining_quantity,"
            " average_price, status, is_routed, version)"
            " VALUES (%(id)s, %(account)s, %(key)s, 'EURUSD', %(side)s, 'market', 'ioc', 'client',"
            " %(book)s, 1000, 1000, 0, %(price)s, 'filled', false, 2)",
            {
                "id": order_id,
                "key": order_id,
                "account": account_id,
                "side": side,
                "price": price,
                "book": "B" if execution_id is None else "A",
            },
        )
        session.execute(
            "INSERT INTO order_fills (id, order_id, quantity, price, quoted_at, provider_id,"
            " provider_execution_id) VALUES (%s, %s, 1000, %s, clock_timestamp(), %s, %s)",
            (fill_id, order_id, price, provider_id, execution_id),
        )
        if execution_id is None:
            session.execute(
                "INSERT INTO exposure_changes (symbol, change) VALUES ('EURUSD', %s)",
                (-1000 if is_buy else 1000,),
            )
        session.execute(
            "WITH traded AS ("
            " INSERT INTO trades (id, account_id, fill_id, position_id, position_version, effect,"
            " quantity, price, conversion_rate, realised_pnl, commission, position_quantity,"
            " position_average_price, position_realised_pnl)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s, 0.02, %s, 1.10, %s)) "
            + (_OPEN_POSITION if is_buy else _CLOSE_POSITION),
            (
                *(trade_id, account_id, fill_id, position_id, 1 if is_buy else 2),
                *("open" if is_buy else "close", quantity, price, 0 if is_buy else 10),
                *((1000, 0) if is_buy else (0, 10)),
                *((position_id, account_id) if is_buy else (position_id,)),
            ),
        )
        _book(session, account_id, trade_id, realised=0 if is_buy else 10)
    return order_id, fill_id, trade_id


_OPEN_POSITION = (
    "INSERT INTO positions (id, account_id, symbol, quantity, average_price, is_open, version)"
    " VALUES (%s, %s, 'EURUSD', 1000, 1.10, true, 1)"
)
_CLOSE_POSITION = (
    "UPDATE positions SET quantity = 0, realised_pnl = 10, is_open = false, version = 2,"
    " closed_at = clock_timestamp() WHERE id = %s"
)


def _book(session: Session, account_id: str, trade_id: str, *, realised: int) -> None:
    houses = ledger.house_holder_ids(session, "USD")
    movements = [
        Movement(
            transaction_id=trade_id,
            operation="commission",
            debit_id=account_id,
            credit_id=houses[HouseCode.FEES],
            currency="USD",
            amount=Decimal("0.02"),
        )
    ]
    if realised:
        movements.append(
            Movement(
                transaction_id=trade_id,
                operation="realised_pnl",
                debit_id=houses[HouseCode.DEALING],
                credit_id=account_id,
                currency="USD",
                amount=Decimal(realised),
            )
        )
    assert all(result.error is None for result in ledger.post_movements(session, movements))
