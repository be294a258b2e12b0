"""What a day came to: counted in the database, measured at the clients, checked by the laws."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tradewright.audit import analyze_record, check_laws, seal, seal_records
from tradewright.demo.model import DaySummary, LawFigures, Measured
from tradewright.demo.progress import Progress
from tradewright.demo.story import notable
from tradewright.ledger import sealing
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.wiring import House

if TYPE_CHECKING:
    from collections.abc import Callable

    from tradewright.demo.accounts import Member


def summarise(
    house: House,
    reviewed: Mapping[str, int],
    progress: Progress,
    members: "Sequence[Member]",
    measured: Measured,
) -> DaySummary:
    """Count, check and seal; the engine has stopped."""
    ids = [member.account_id for member in members]
    with house.patient_session() as session:
        with session.transaction():
            seal(session)
            sealing.seal(session)
            seal_records(session)
            analyze_record(session)
        with session.transaction():
            figures = _figures(session, ids, [member.user_id for member in members])
            laws = check_laws(session)
            acknowledged = progress.acknowledged()
            lost = acknowledged - _known_keys(session, ids)
        version = session.info.parameter_status("server_version") or "unknown"
    return DaySummary(
        seed=measured.seed,
        postgres_version=version,
        migrations_reviewed=reviewed,
        quotes_read=measured.quotes_read,
        quotes_refused=measured.quotes_refused,
        replays=measured.replays,
        card_payments=measured.reconciled,
        acknowledged=len(acknowledged),
        acknowledged_lost=len(lost),
        seconds=round(measured.seconds, 3),
        orders_per_second=round(len(measured.latencies) / max(measured.seconds, 0.001), 1),
        latency_ms={"p50": measured.latency_ms(0.5), "p99": measured.latency_ms(0.99)},
        invariants={name: LawFigures(law.checked, law.broken) for name, law in laws.items()},
        **figures,
    )


def _figures(session: Session, ids: list[str], user_ids: list[str]) -> dict[str, Any]:
    def rows(query: str, **parameters: object) -> list[tuple[Any, ...]]:
        sql = load_queries("tradewright.demo")[query]
        return session.execute(sql, parameters or {"ids": ids}).fetchall()

    orders, canceled, resting, rejected = rows("order_figures")[0]
    payments = rows("payments", user_ids=user_ids)
    return {
        "orders": orders,
        "canceled": canceled,
        "resting": resting,
        "rejected": rejected,
        "fills": rows("fill_count")[0][0],
        "denied": {row[0]: row[1] for row in rows("denied_by_code")},
        "orders_by_strategy": {row[0]: row[1] for row in rows("orders_by_strategy")},
        "provider_requests": {
            row[0]: {"asked": row[1], "rejected": row[2], "mean_hold_ms": int(row[3])}
            for row in rows("provider_answers")
        },
        **_routing(rows),
        **_risk(rows),
        "deposits": sum(row[2] for row in payments if row[0] == "deposit"),
        "withdrawals": sum(row[2] for row in payments if row[0] == "withdrawal"),
        "money_in": _by_currency(payments, "deposit"),
        "money_out": _by_currency(payments, "withdrawal"),
        "digest": _digest(rows("client_orders"), rows("balances")),
    }


def _routing(rows: "Callable[[str], list[tuple[Any, ...]]]") -> dict[str, Any]:
    """Return what became of hybrid orders and of the house's exposure."""
    decisions = rows("routing_figures")
    return {
        "routing_decisions": {row[0]: row[1] for row in decisions},
        "orders_divided": sum(row[2] for row in decisions),
        "hedges": {row[0]: row[1] for row in rows("hedge_figures")},
        "hedge_results": {row[0]: row[1] for row in rows("hedge_results")},
    }


def _risk(rows: "Callable[[str], list[tuple[Any, ...]]]") -> dict[str, Any]:
    """Return what the market did to positions and resting orders, and what is worth telling."""
    positions_open, margin_calls, resolved, stop_outs = rows("risk_figures")[0]
    swaps = rows("swaps")
    return {
        "positions_open": positions_open,
        "resting_filled": {row[0]: row[1] for row in rows("resting_orders_filled")},
        "alternatives_canceled": rows("alternatives_canceled")[0][0],
        "breakers_triggered": rows("breakers_triggered")[0][0],
        "margin_calls": margin_calls,
        "margin_calls_resolved": resolved,
        "stop_outs": stop_outs,
        "negative_balances_forgiven": {row[0]: row[1] for row in rows("forgiven")},
        "swaps": sum(row[1] for row in swaps),
        "swap_amounts": {row[0]: row[2] for row in swaps},
        "happenings": notable(rows),
    }


def _by_currency(payments: Sequence[tuple[Any, ...]], kind: str) -> dict[str, Decimal]:
    return {row[1]: row[3] for row in payments if row[0] == kind}


def _digest(*tables: Sequence[tuple[Any, ...]]) -> str:
    """Return a hash over rows, in their order, with numbers in their shortest form."""
    text = "\n".join(
        "\t".join(
            f"{value.normalize():f}" if isinstance(value, Decimal) else str(value) for value in row
        )
        for table in tables
        for row in table
    )
    return sha256(text.encode()).hexdigest()


def _known_keys(session: Session, ids: list[str]) -> frozenset[str]:
    rows = session.execute(load_queries("tradewright.demo")["client_orders"], {"ids": ids})
    return frozenset(f"{ids[row[0] - 1]}/{row[1]}" for row in rows)
