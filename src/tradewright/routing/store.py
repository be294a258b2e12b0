"""The settings of routing and what is known of clients as rows: read for batches and for people.

`service` writes the settings, the batches of the engine what is known of clients.
"""

from decimal import Decimal
from typing import Any

from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass
from tradewright.routing.book import in_order
from tradewright.routing.model import Override, OverrideKind, Policy, Ramp, Rule, Settings
from tradewright.routing.profiles import ClientProfile

QUERIES = "tradewright.routing"


def read_settings(statements: Statements) -> Settings:
    """Read everything that decides about hybrid orders; on a pipeline it is one wait."""
    queries = load_queries(QUERIES)
    names = ("routing_policies", "routing_rules", "routing_overrides")
    sent = [statements.execute(queries[name], {}) for name in names]
    policies, rules, overrides = (rows.fetchall() for rows in sent)
    return Settings(
        {row[0]: _policy(row) for row in policies},
        in_order([_rule(row) for row in rules]),
        [_override(row) for row in overrides],
    )


def read_profile(connection: Session, user_id: str) -> ClientProfile | None:
    """Read what has been measured of a user; None when there is no such user."""
    query = load_queries(QUERIES)["client_profile"]
    row = connection.execute(query, {"user_id": user_id}).fetchone()
    return None if row is None else profile_of(row)


def profile_of(row: tuple[Any, ...]) -> ClientProfile:
    """Lay out a row of the queries that read profiles, without its user."""
    return ClientProfile(
        trade_count=row[0],
        markouts=row[1:4],
        closing_count=row[4],
        short_hold_share=row[5],
        win_share=row[6],
        arrival_count=row[7],
        reject_prone_share=row[8],
    )


def policy_columns(policy: Policy) -> dict[str, object]:
    """Return a policy as the parameters of its query."""
    ends = {
        f"{name}_{end}": None if ramp is None else value
        for name, ramp in (
            ("toxicity", policy.toxicity),
            ("size", policy.size),
            ("exposure", policy.exposure),
            ("volatility", policy.volatility),
        )
        for end, value in (("from", ramp and ramp.start), ("full", ramp and ramp.full))
    }
    return {
        "symbol": policy.symbol,
        "default_percent": policy.default_percent,
        "short_hold_bps": policy.short_hold_bps,
        "win_bps": policy.win_bps,
        "reject_prone_bps": policy.reject_prone_bps,
        "exposure_limit": policy.exposure_limit,
        "hedge_target": policy.hedge_target,
        **ends,
    }


def _policy(row: tuple[Any, ...]) -> Policy:
    return Policy(
        symbol=row[0],
        default_percent=row[1],
        toxicity=_ramp(row[2], row[3]),
        size=_ramp(row[4], row[5]),
        exposure=_ramp(row[6], row[7]),
        volatility=_ramp(row[8], row[9]),
        exposure_limit=row[10],
        hedge_target=row[11],
        revision=row[12],
        short_hold_bps=row[13],
        win_bps=row[14],
        reject_prone_bps=row[15],
    )


def _ramp(start: Decimal | None, full: Decimal | None) -> Ramp | None:
    return None if start is None or full is None else Ramp(start, full)


def _rule(row: tuple[Any, ...]) -> Rule:
    return Rule(
        id=row[0],
        priority=row[1],
        a_percent=row[2],
        symbol=row[3],
        user_id=row[4],
        client_class=None if row[5] is None else ClientClass(row[5]),
        quantity_min=row[6],
        quantity_max=row[7],
        revision=row[8],
    )


def _override(row: tuple[Any, ...]) -> Override:
    return Override(
        id=row[0], kind=OverrideKind(row[1]), a_percent=row[2], symbol=row[3], user_id=row[4]
    )
