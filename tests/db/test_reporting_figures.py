"""Each figure of the reporting views, computed another way: in Python, from the rows themselves."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reporting_days import play_days
from tradewright.core.trading_day import trading_day_end
from tradewright.operations.views import VIEWS
from tradewright.postgres.connect import Session

NEW_YORK = ZoneInfo("America/New_York")
Rows = list[dict[str, Any]]


def trading_day(instant: datetime) -> date:
    return trading_day_end(instant).astimezone(NEW_YORK).date()


def read(session: Session, query: str) -> Rows:
    cursor = session.execute(query.encode())
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def view_rows(session: Session, name: str, key: Iterable[str]) -> dict[tuple[Any, ...], Any]:
    """Return a view's rows by their key, each without it."""
    rows = read(session, f"SELECT * FROM {name}")
    return {tuple(row.pop(column) for column in key): row for row in rows}


def grouped(
    rows: Rows, key: Callable[[dict[str, Any]], tuple[Any, ...]]
) -> dict[tuple[Any, ...], Rows]:
    groups: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return groups


def total(rows: Rows, column: str, **wanted: object) -> Decimal:
    return sum(
        (row[column] for row in rows if all(row[name] == one for name, one in wanted.items())),
        Decimal(0),
    )


@pytest.fixture
def days(engine: Session) -> Session:
    """Give a session on days of a house, with every view filled."""
    play_days(engine)
    for name in VIEWS:
        row = engine.execute("SELECT error FROM refresh_reporting_view(%s)", (name,)).fetchone()
        assert row == (None,)
    return engine


SINCE, UNTIL = datetime(2005, 1, 1), datetime(2045, 1, 1)  # noqa: DTZ001 (of the zone below)
INSTANTS = st.datetimes(SINCE, UNTIL, timezones=st.just(UTC))


@settings(max_examples=5)
@given(st.lists(INSTANTS, min_size=200, max_size=400))
def _same_days(session: Session, instants: list[datetime]) -> None:
    edges = [trading_day_end(instant) for instant in instants]
    every = [*instants, *edges, *(edge - timedelta(microseconds=1) for edge in edges)]
    found = session.execute("SELECT trading_day(t) FROM unnest(%s) AS t", (every,)).fetchall()
    assert [row[0] for row in found] == [trading_day(instant) for instant in every]


def test_the_trading_day_of_the_views_is_that_of_the_engine(engine: Session) -> None:
    _same_days(engine)


def test_payments_claims_and_fees_are_summed_by_user_day_currency_and_kind(days: Session) -> None:
    payments = read(days, "SELECT * FROM payment_transactions")
    claims = read(
        days,
        "SELECT c.*, p.user_id, p.currency, p.kind AS paid FROM payment_claims AS c"
        " JOIN payment_transactions AS p ON p.id = c.payment_id",
    )
    lines = read(
        days,
        "SELECT l.* FROM provider_statement_lines AS l"
        " JOIN payment_settlement_lines AS x USING (statement_id, line_number)",
    )
    owners = {p["reference"]: (p["user_id"], p["kind"]) for p in payments if p["reference"]}
    owners |= {c["reference"]: (c["user_id"], c["paid"]) for c in claims if c["reference"]}
    events: Rows = []
    for p in payments:
        what = {"succeeded": "payment", "reversed": "reversed"}.get(p["status"])
        events.append({**p, "what": what, "at": p["completed_at"]})
    for c in claims:
        what = {"succeeded": "refund", "lost": "dispute"}.get(c["status"])
        events.append({**c, "what": what, "at": c["completed_at"], "kind": c["paid"]})
    for line in lines:
        if line["reference"] in owners:
            user_id, kind = owners[line["reference"]]
            fee = {"what": "fee", "at": line["booked_on"], "amount": line["fee"]}
            events.append({**line, **fee, "user_id": user_id, "kind": kind})
    told = [event for event in events if event["what"] is not None]
    expected = {
        key: {
            **{f"{what}_count": len([r for r in rows if r["what"] == what]) for what in COUNTED},
            **{name: total(rows, "amount", what=what) for what, name in SUMMED.items()},
        }
        for key, rows in grouped(told, _payment_key).items()
    }
    found = view_rows(days, "payment_summary", ("user_id", "day", "currency", "kind"))
    assert found == expected
    assert {key[2] for key in found} == {"EUR", "USD"}
    assert len({key[1] for key in found}) > 3
    for name in ("volume", "fees", "refunded", "disputed", "reversed"):
        assert any(row[name] % 1 for row in found.values()), name


COUNTED = ("payment", "refund", "dispute", "reversed")
SUMMED = {
    "payment": "volume",
    "fee": "fees",
    "refund": "refunded",
    "dispute": "disputed",
    "reversed": "reversed",
}


def _payment_key(row: dict[str, Any]) -> tuple[Any, ...]:
    at = row["at"]
    day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
    return row["user_id"], day, row["currency"], row["kind"]


def test_what_accounts_have_traded_is_what_the_ledger_has_booked_for_it(days: Session) -> None:
    """By account, trading day and symbol; and nothing that the ledger has is left out."""
    about = {
        row["id"]: row["symbol"]
        for row in read(
            days,
            "SELECT t.id, p.symbol FROM trades AS t JOIN positions AS p ON p.id = t.position_id"
            " UNION ALL SELECT j.id, p.symbol FROM trade_adjustments AS j JOIN trades AS t"
            " ON t.id = j.trade_id JOIN positions AS p ON p.id = t.position_id"
            " UNION ALL SELECT r.id, p.symbol FROM position_rollovers AS r"
            " JOIN positions AS p ON p.id = r.position_id",
        )
    }
    entries = read(
        days,
        "SELECT holder_id, currency, transaction_id, operation, created_at,"
        " CASE effect WHEN 'credit' THEN amount ELSE -amount END AS amount"
        " FROM balance_ledger WHERE holder_id IN (SELECT id FROM accounts)",
    )
    booked = [entry for entry in entries if entry["operation"] in OPERATIONS]
    expected = {
        key: {
            name: sign * sum((total(rows, "amount", operation=one) for one in kinds), Decimal(0))
            for name, (sign, kinds) in LEDGER_COLUMNS.items()
        }
        | {"currency": rows[0]["currency"], "result": total(rows, "amount")}
        for key, rows in grouped(
            booked,
            lambda e: (e["holder_id"], trading_day(e["created_at"]), about[e["transaction_id"]]),
        ).items()
    }
    found = view_rows(days, "trading_summary", ("account_id", "trading_day", "symbol"))
    for row in found.values():
        for name in ("trade_count", "volume", "reversed_volume"):
            row.pop(name)
    moved = {key: row for key, row in found.items() if key in expected or any_money(row)}
    assert moved == expected
    assert {row["currency"] for row in moved.values()} == {"EUR", "USD"}
    assert len({key[1] for key in moved}) > 3
    for name in LEDGER_COLUMNS.keys() - {"swap_free_fees"}:
        assert any(row[name] for row in moved.values()), name


LEDGER_COLUMNS = {
    "realised_pnl": (1, ("realised_pnl",)),
    "adjustments": (1, ("price_adjustment", "adjustment_return")),
    "commission": (-1, ("commission", "commission_return")),
    "swap": (1, ("swap",)),
    "swap_free_fees": (-1, ("swap_free_fee",)),
}
OPERATIONS = {operation for _, kinds in LEDGER_COLUMNS.values() for operation in kinds}


def any_money(row: dict[str, Any]) -> bool:
    return any(row[name] for name in LEDGER_COLUMNS)


def test_volumes_are_those_of_the_fills(days: Session) -> None:
    trades = read(
        days,
        "SELECT t.*, p.symbol FROM trades AS t JOIN positions AS p ON p.id = t.position_id",
    )
    found = view_rows(days, "trading_summary", ("account_id", "trading_day", "symbol"))
    by_key = grouped(
        trades, lambda t: (t["account_id"], trading_day(t["executed_at"]), t["symbol"])
    )
    for key, row in found.items():
        dealt = [t for t in by_key[key] if t["fill_id"] is not None and t["effect"] != "reverse"]
        taken_back = [t for t in by_key[key] if t["effect"] == "reverse"]
        assert row["trade_count"] == len(dealt)
        assert row["volume"] == sum(abs(t["quantity"]) for t in dealt)
        assert row["reversed_volume"] == sum(abs(t["quantity"]) for t in taken_back)
    assert sum(row["trade_count"] for row in found.values()) < len(trades)
    assert sum(row["reversed_volume"] for row in found.values()) == 1000


def test_the_result_of_the_house_is_what_its_accounts_have_moved(days: Session) -> None:
    """By trading day, currency and source; and all days are the balances that the ledger keeps."""
    sides = read(
        days,
        "SELECT t.currency, t.created_at, a.code, coalesce(o.operation, t.operation) AS operation,"
        " CASE a.id WHEN t.credit_holder_id THEN t.amount ELSE -t.amount END AS amount"
        " FROM transfers AS t JOIN house_accounts AS a ON a.id = t.credit_holder_id"
        " OR a.id = t.debit_holder_id LEFT JOIN transfers AS o ON o.id = t.reverses_id",
    )
    results = [{**side, "source": _source(side)} for side in sides if _source(side)]
    expected = {
        key: {name: total(rows, "amount", source=name) for name in (*SOURCES, "exchanged")}
        | {"result": sum((total(rows, "amount", source=name) for name in SOURCES), Decimal(0))}
        for key, rows in grouped(
            results, lambda s: (trading_day(s["created_at"]), s["currency"])
        ).items()
    }
    found = view_rows(days, "house_result", ("trading_day", "currency"))
    assert found == expected
    for name in (*SOURCES, "exchanged"):
        assert any(row[name] % 1 for row in found.values()) or name == "provider_costs", name
    kept = {
        (row["currency"], row["is_exchange"]): row["balance"]
        for row in read(
            days,
            "SELECT currency, code = 'exchange' AS is_exchange, sum(balance) AS balance"
            " FROM house_positions WHERE code IN ('dealing', 'fees', 'swaps', 'provider_costs',"
            " 'negative_balance', 'exchange') GROUP BY currency, code = 'exchange'",
        )
    }
    for currency in ("EUR", "USD"):
        rows = [row for key, row in found.items() if key[1] == currency]
        assert len(rows) > 3
        assert sum(row["result"] for row in rows) == kept[currency, False]
        assert sum(row["exchanged"] for row in rows) == kept[currency, True]


SOURCES = (
    "dealing",
    "hedges",
    "commission",
    "swap_free_fees",
    "other_fees",
    "swaps",
    "provider_costs",
    "negative_balances",
)


def _source(side: dict[str, Any]) -> str | None:
    code, operation = side["code"], side["operation"]
    if code == "dealing":
        return "hedges" if operation == "hedge_pnl" else "dealing"
    if code == "fees":
        return {
            "commission": "commission",
            "commission_return": "commission",
            "swap_free_fee": "swap_free_fees",
        }.get(operation, "other_fees")
    return {
        "swaps": "swaps",
        "provider_costs": "provider_costs",
        "negative_balance": "negative_balances",
        "exchange": "exchanged",
    }.get(code)


def test_answers_of_providers_are_counted_timed_and_compared_with_the_price_asked_for(
    days: Session,
) -> None:
    asked = read(
        days,
        "SELECT r.*, p.code, coalesce(o.symbol, h.symbol) AS symbol, o.side"
        " FROM provider_requests AS r JOIN liquidity_providers AS p ON p.id = r.provider_id"
        " LEFT JOIN orders AS o ON o.id = r.order_id LEFT JOIN hedges AS h ON h.id = r.hedge_id",
    )
    fills = read(
        days, "SELECT * FROM order_fills WHERE provider_execution_id IS NOT NULL ORDER BY quoted_at"
    )
    improved = _improvements(asked, fills)
    found = view_rows(days, "provider_summary", ("provider", "symbol", "trading_day"))
    groups = grouped(asked, lambda r: (r["code"], r["symbol"], trading_day(r["requested_at"])))
    assert found.keys() == groups.keys()
    assert len(groups) == 3
    for key, rows in groups.items():
        row, waited = found[key], [r["hold_ms"] for r in rows if r["reason"] != "not_connected"]
        reasons = [r["reason"] for r in rows if r["reason"]]
        assert row["currency"] == "USD"
        assert row["request_count"] == len(rows)
        assert row["filled_count"] == len([r for r in rows if r["filled_quantity"] == 1000])
        assert row["partly_filled_count"] == len(
            [r for r in rows if 0 < r["filled_quantity"] < 1000]
        )
        assert row["rejected_by_reason"] == {one: reasons.count(one) for one in reasons}
        assert row["rejected_count"] == len(reasons)
        assert row["unanswered_count"] == reasons.count("not_connected") + reasons.count(
            "unknown_request"
        )
        assert row["requested_quantity"] == total(rows, "quantity")
        assert row["filled_quantity"] == total(rows, "filled_quantity")
        for percent in (50, 95, 99):
            assert row[f"hold_ms_p{percent}"] == percentile(waited, percent)
        quantity, improvement = improved[key]
        assert (row["priced_quantity"], row["improvement"]) == (quantity, improvement)
        mean = round(improvement / quantity, 8) if quantity else None
        assert row["mean_improvement"] == mean
    assert any(row["improvement"] > 0 for row in found.values())


def percentile(values: list[int], percent: int) -> Decimal:
    """Interpolate between the two values that the place lies between."""
    ordered = sorted(values)
    place = Decimal(percent) / 100 * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    exact = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return exact.quantize(Decimal("0.001"))


def _improvements(asked: Rows, fills: Rows) -> dict[tuple[Any, ...], tuple[Decimal, Decimal]]:
    """Walk through time: each fill is of what its order has asked its provider last."""
    sums: dict[tuple[Any, ...], tuple[Decimal, Decimal]] = defaultdict(
        lambda: (Decimal(0), Decimal(0))
    )
    for fill in fills:
        before = [
            r
            for r in asked
            if (r["order_id"], r["provider_id"]) == (fill["order_id"], fill["provider_id"])
            and r["is_accepted"]
            and r["requested_at"] <= fill["quoted_at"]
        ]
        last = max(before, key=lambda r: r["requested_at"], default=None)
        if last is None or last["price"] is None:
            continue
        better = (last["price"] - fill["price"]) * (1 if last["side"] == "buy" else -1)
        key = (last["code"], last["symbol"], trading_day(last["requested_at"]))
        quantity, improvement = sums[key]
        sums[key] = (quantity + fill["quantity"], improvement + better * fill["quantity"])
    return sums


def test_every_order_is_counted_once_by_what_became_of_it(days: Session) -> None:
    orders = read(
        days, "SELECT o.*, a.user_id FROM orders AS o JOIN accounts AS a ON a.id = o.account_id"
    )
    found = view_rows(days, "client_activity", ("user_id", "trading_day"))
    groups = grouped(orders, lambda o: (o["user_id"], trading_day(o["created_at"])))
    assert found.keys() == groups.keys()
    for key, rows in groups.items():
        row, ends = found[key], [_end(o) for o in rows]
        assert {name: row[name] for name in ENDS} == {name: ends.count(name) for name in ENDS}
        assert row["order_count"] == len(rows) == sum(row[name] for name in ENDS)
        assert row["stop_out_count"] == len([o for o in rows if o["origin"] == "stop_out"])
        assert row["account_count"] == len({o["account_id"] for o in rows})
        assert row["symbol_count"] == len({o["symbol"] for o in rows})
        times = [o["created_at"] for o in rows]
        assert (row["first_order_at"], row["last_order_at"]) == (min(times), max(times))
    assert all(any(row[name] for row in found.values()) for name in ENDS)


ENDS = (
    "filled_count",
    "partly_filled_count",
    "denied_count",
    "rejected_count",
    "ended_count",
    "live_count",
)


def _end(one: dict[str, Any]) -> str:
    if one["status"] == "rejected":
        return "denied_count" if one["refused_by"] == "house" else "rejected_count"
    if one["filled_quantity"]:
        return "filled_count" if one["status"] == "filled" else "partly_filled_count"
    return "ended_count" if one["status"] in ("canceled", "expired") else "live_count"
