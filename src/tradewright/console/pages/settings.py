"""Settings: on what terms the house trades, since when and by whose word; none is changed here."""

from decimal import Decimal
from functools import partial
from typing import NamedTuple

from tradewright.access import Action
from tradewright.console.model import Page, Shown, Visit
from tradewright.console.paging import paged
from tradewright.console.store import read


class Kind(NamedTuple):
    """Settings of a kind: the command that changes them, and which of their facts are shown."""

    name: str
    title: str
    command: str
    columns: tuple[str, ...]
    action: Action = Action.READ_DEALING
    is_audited: bool = True
    """Whether who changed it is in the trail; what is only ever added to may be its own record."""


KINDS = (
    Kind(
        "instruments",
        "Instruments",
        "tradewright instruments set",
        (
            *("symbol", "asset_class", "is_tradable", "contract_size", "quantity_min"),
            *("quantity_max", "quantity_step", "price_tick", "leverage_max"),
            *("leverage_max_retail", "margin_rate", "commission_per_million", "quote_age_ms_max"),
        ),
    ),
    Kind(
        "groups",
        "Groups",
        "tradewright groups set",
        (
            *("code", "regime", "position_mode", "stop_out_mode", "hedged_margin"),
            *("margin_price", "pending_margin", "is_swap_free"),
        ),
    ),
    Kind(
        "limits",
        "Limits",
        "tradewright risk limit set",
        ("kind", "scope", "group_code", "account_id", "symbol", "value", "currency"),
    ),
    Kind(
        "policies",
        "Routing",
        "tradewright routing set",
        (
            *("symbol", "default_percent", "exposure_limit", "hedge_target", "exposure_from"),
            *("exposure_full", "size_from", "size_full", "toxicity_from", "toxicity_full"),
            *("volatility_from", "volatility_full"),
        ),
    ),
    Kind(
        "rules",
        "Routing rules",
        "tradewright routing add-rule",
        (
            *("priority", "is_enabled", "symbol", "user_id", "client_class", "quantity_min"),
            *("quantity_max", "a_percent"),
        ),
    ),
    Kind(
        "fees",
        "Commissions",
        "tradewright commissions set",
        ("group_code", "symbol", "form", "rate", "currency", "minimum"),
    ),
    Kind(
        "swaps",
        "Swaps",
        "tradewright swaps set",
        (
            *("symbol", "effective_on", "state", "form", "long_rate", "short_rate", "currency"),
            *("settlement_days", "is_daily", "swap_free_fee", "grace_nights"),
        ),
        is_audited=False,
    ),
    Kind(
        "tiers",
        "Margin tiers",
        "tradewright margin tiers",
        ("symbol", "notional_above", "rate"),
    ),
    Kind(
        "sessions",
        "Trading hours",
        "tradewright instruments add",
        ("symbol", "opens_weekday", "opens_at", "closes_weekday", "closes_at", "timezone"),
    ),
    Kind(
        "breakers",
        "Circuit breakers",
        "tradewright risk breaker add",
        (
            *("code", "kind", "symbol", "threshold", "currency", "window_seconds"),
            *("reset_seconds", "cooldown_seconds"),
        ),
    ),
    Kind(
        "payments",
        "Payment limits, USD",
        "tradewright payments limit set",
        ("kyc_level", "kind", "amount_max", "daily_max", "rolling_max"),
        Action.READ_PAYMENTS,
    ),
)


def show(kind: Kind, visit: Visit) -> Shown:
    """Show the settings of a kind, each since when and by whom."""
    found = paged(
        visit,
        "page",
        lambda count, passed: read(
            visit.session, f"settings_{kind.name}", count_max=count, passed=passed
        ),
    )
    numbers = {
        name for row in found.rows for name in kind.columns if _is_number(row["facts"][name])
    }
    facts = {"kind": kind, "kinds": KINDS, "settings": found, "numbers": numbers}
    return Shown("settings.html", facts)


def _is_number(fact: object) -> bool:
    return isinstance(fact, (int, Decimal)) and not isinstance(fact, bool)


PAGES = (
    Page(Action.READ_DEALING, "/settings", partial(show, KINDS[0])),
    *(Page(kind.action, f"/settings/{kind.name}", partial(show, kind)) for kind in KINDS[1:]),
)
