"""Which part of an order goes to which book, and what the house's exposure is while that happens.

An order of an account in book A or B costs nothing here. Of a hybrid account's order the decision
is `routing`'s; this module gathers what it is decided on and writes down what was decided.
"""

import json
from decimal import Decimal

from tradewright.core.ids import new_id_text
from tradewright.liquidity.model import Side
from tradewright.routing.book import decide_book, policy_of
from tradewright.routing.model import Book, Decision, OrderFacts, Policy
from tradewright.routing.profiles import NOTHING_MEASURED, ClientProfile
from tradewright.trading.model import TimeInForce
from tradewright.trading.rules import dealing_price
from tradewright.trading.state import AccountState, Changes, Desk, OrderState, Row

NO_QUANTITY = Decimal(0)

_FILL_ORDER, _FILL_QUANTITY, _FILL_EXECUTION = 1, 2, 5
"""Where a row of `Changes.fills` has its order's id, its quantity and the provider's execution."""


def quantity_passed_on(
    desk: Desk, account: AccountState, order: OrderState, quantity: Decimal
) -> Decimal:
    """Return how much of what an order may deal goes to the providers; the house deals the rest.

    A decision about a hybrid order is written with the batch.
    """
    if order.book is not Book.HYBRID:
        return quantity if order.book is Book.A else NO_QUANTITY
    profile = desk.profiles.get(account.holder.user_id, NOTHING_MEASURED)
    facts = _facts(desk, account, order, quantity)
    decision = decide_book(facts, desk.reference.routing)
    inputs = json.dumps(_inputs(facts, profile, decision))
    desk.changes.routing_decisions.append(_row(desk, order, inputs, decision))
    return decision.a_quantity


def aimed_at(desk: Desk, symbol: str, side: Side) -> Decimal | None:
    """Return the best price that an order of a side sees now."""
    top = desk.market.top(symbol)
    return None if top is None else dealing_price(top, side)


def note_ranking(
    desk: Desk, asked_for: tuple[str | None, str | None], symbol: str, side: Side
) -> None:
    """Write down which levels an order or a hedge could be passed on to, with their scores."""
    explained = desk.market.explain(symbol, side)
    desk.changes.rankings.append((new_id_text(), *asked_for, explained, desk.market.now))


def exposure_changes(changes: Changes) -> dict[str, Decimal]:
    """Return what a batch has done to the house's exposure: by dealing itself, and by hedges."""
    sums: dict[str, Decimal] = {}
    for symbol, change in _dealt_by_house(changes, 0) + changes.hedged:
        sums[symbol] = sums.get(symbol, NO_QUANTITY) + change
    return sums


def _dealt_by_house(changes: Changes, since: int) -> list[tuple[str, Decimal]]:
    """Return what fills from number `since` on have done to it: a client's buy makes it short."""
    dealt: list[tuple[str, Decimal]] = []
    for row in changes.fills[since:]:
        if row[_FILL_EXECUTION] is None:
            order = changes.orders[str(row[_FILL_ORDER])]
            quantity = row[_FILL_QUANTITY]
            if not isinstance(quantity, Decimal):
                raise TypeError("a fill's quantity is a Decimal")
            dealt.append((order.instrument.symbol, -quantity * order.side.sign))
    return dealt


def _facts(desk: Desk, account: AccountState, order: OrderState, quantity: Decimal) -> OrderFacts:
    symbol, user_id = order.instrument.symbol, account.holder.user_id
    policy = policy_of(desk.reference.routing, symbol)
    return OrderFacts(
        instrument=order.instrument,
        side=order.side,
        quantity=quantity,
        is_divisible=order.time_in_force is not TimeInForce.FOK,
        user_id=user_id,
        client_class=account.profile.client_class,
        exposure=_exposure_now(desk, symbol),
        toxicity=desk.profiles.get(user_id, NOTHING_MEASURED).toxicity(policy),
        volatility=desk.market.volatility(symbol),
    )


def _exposure_now(desk: Desk, symbol: str) -> Decimal:
    """Return the exposure that is committed, with what this batch has dealt so far."""
    desk.batch_exposures.add(_dealt_by_house(desk.changes, desk.fills_counted))
    desk.fills_counted = len(desk.changes.fills)
    hedged = sum((change for name, change in desk.changes.hedged if name == symbol), NO_QUANTITY)
    return desk.exposures.of(symbol) + desk.batch_exposures.of(symbol) + hedged


def _row(desk: Desk, order: OrderState, inputs: str, decision: Decision) -> Row:
    rule = decision.rule
    return (
        new_id_text(),
        order.id,
        decision.reason,
        None if rule is None else rule.id,
        None if rule is None else rule.revision,
        decision.a_percent,
        decision.a_quantity,
        decision.b_quantity,
        inputs,
        desk.market.explain(order.instrument.symbol, order.side),
        desk.market.now,
    )


def _inputs(facts: OrderFacts, profile: ClientProfile, decision: Decision) -> dict[str, object]:
    """Return everything that the decision saw, exact numbers as text."""
    override = decision.override
    return {
        "side": facts.side,
        "quantity": f"{facts.quantity:f}",
        "step": f"{facts.instrument.quantity_step:f}",
        "is_divisible": facts.is_divisible,
        "user_id": facts.user_id,
        "client_class": facts.client_class,
        "exposure": f"{facts.exposure:f}",
        "projected": f"{facts.projected:f}",
        "toxicity_bps": _shown(facts.toxicity),
        "profile": _profile(profile),
        "volatility_bps": _shown(facts.volatility),
        "override_id": None if override is None else override.id,
        "policy": _policy(decision.policy),
    }


def _profile(profile: ClientProfile) -> dict[str, object]:
    """Return what was known of the client, from which its toxicity follows by the policy."""
    return {
        "trade_count": profile.trade_count,
        "markouts_bps": [f"{one:f}" for one in profile.markouts],
        "closing_count": profile.closing_count,
        "short_hold_share": f"{profile.short_hold_share:f}",
        "win_share": f"{profile.win_share:f}",
        "arrival_count": profile.arrival_count,
        "reject_prone_share": f"{profile.reject_prone_share:f}",
    }


def _policy(policy: Policy) -> dict[str, object]:
    """Return a policy as it was; a measure that it does not ask is left out."""
    ramps = {
        "toxicity": policy.toxicity,
        "size": policy.size,
        "exposure": policy.exposure,
        "volatility": policy.volatility,
    }
    return {
        "revision": policy.revision,
        "default_percent": policy.default_percent,
        "exposure_limit": _shown(policy.exposure_limit),
        "short_hold_bps": f"{policy.short_hold_bps:f}",
        "win_bps": f"{policy.win_bps:f}",
        "reject_prone_bps": f"{policy.reject_prone_bps:f}",
        **{name: [f"{r.start:f}", f"{r.full:f}"] for name, r in ramps.items() if r},
    }


def _shown(number: Decimal | None) -> str | None:
    return None if number is None else f"{number:f}"
