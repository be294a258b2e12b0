"""Which book an order goes to: the house's own (B), the providers (A), or a part to each.

Domain rule 1.7. The first of these decides: a halt, a dealer's override, the first rule that
matches by (priority descending, id), and whether the order reduces the house's exposure, which
the house then deals itself. After them come the measures of the symbol's policy: toxicity, size,
projected exposure, volatility and the default. Each asks for a share, the largest share is given,
and the first in that order that asked for it is named as the reason; a measure that only decided
where the ones before it are silent could lower the share when it rises. Whatever the share,
what would lift the exposure above its limit is passed on, unless a dealer ordered otherwise.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from tradewright.routing.model import (
    Decision,
    OrderFacts,
    Override,
    OverrideKind,
    Policy,
    Ramp,
    Reason,
    Rule,
    Settings,
)

_ALL, _NONE = 100, 0
_NOTHING = Decimal(0)


def decide_book(facts: OrderFacts, settings: Settings) -> Decision:
    """Return how an order of a hybrid account is divided between the house and the providers."""
    policy = policy_of(settings, facts.instrument.symbol)
    for kind, reason in ((OverrideKind.HALT, Reason.HALT), (OverrideKind.MANUAL, Reason.MANUAL)):
        override = _override(facts, settings.overrides, kind)
        if override is not None:
            share = reason, override.a_percent
            return _divide(facts, policy, share, override=override)
    rule = next((one for one in settings.rules if _matches(one, facts)), None)
    if rule is not None:
        return _divide(facts, policy, (Reason.RULE, rule.a_percent), rule=rule)
    if facts.reduces:
        return _divide(facts, policy, (Reason.REDUCES_EXPOSURE, _NONE))
    return _divide(facts, policy, measured_share(facts, policy))


def policy_of(settings: Settings, symbol: str) -> Policy:
    """Return the policy of a symbol; one without any passes nothing on."""
    return settings.policies.get(symbol) or Policy(symbol=symbol)


def in_order(rules: Sequence[Rule]) -> list[Rule]:
    """Return rules in the order in which they are asked: priority descending, then id."""
    return sorted(rules, key=lambda rule: (-rule.priority, rule.id))


def measured_share(facts: OrderFacts, policy: Policy) -> tuple[Reason, int]:
    """Return the largest share that a measure asks for, and the first measure that asks for it."""
    asked = [
        (Reason.TOXICITY, _asked(policy.toxicity, facts.toxicity)),
        (Reason.SIZE, _asked(policy.size, facts.quantity)),
        (Reason.EXPOSURE, _asked(policy.exposure, abs(facts.projected))),
        (Reason.VOLATILITY, _asked(policy.volatility, facts.volatility)),
        (Reason.DEFAULT, policy.default_percent),
    ]
    most = max(percent for _, percent in asked)
    return next(one for one in asked if one[1] == most) if most else asked[-1]


def excess(facts: OrderFacts, policy: Policy) -> Decimal:
    """Return how much of an order would lift the house's exposure above its limit.

    What turns it can do so on the other side, even where it brings the house nearer to flat.
    """
    if policy.exposure_limit is None or (facts.reduces and not facts.turns):
        return _NOTHING
    over = max(_NOTHING, abs(facts.projected) - policy.exposure_limit)
    return min(facts.quantity, _up_to_step(over, facts.instrument.quantity_step))


def _override(
    facts: OrderFacts, overrides: Sequence[Override], kind: OverrideKind
) -> Override | None:
    """Return the override that speaks of this order, the most particular one first."""
    found = [
        one
        for one in overrides
        if one.kind is kind
        and one.symbol in {None, facts.instrument.symbol}
        and one.user_id in {None, facts.user_id}
    ]
    return min(found, key=lambda one: (not one.user_id, not one.symbol, one.id), default=None)


def _matches(rule: Rule, facts: OrderFacts) -> bool:
    return (
        rule.symbol in {None, facts.instrument.symbol}
        and rule.user_id in {None, facts.user_id}
        and rule.client_class in {None, facts.client_class}
        and (rule.quantity_min is None or facts.quantity >= rule.quantity_min)
        and (rule.quantity_max is None or facts.quantity <= rule.quantity_max)
    )


def _asked(ramp: Ramp | None, measure: Decimal | None) -> int:
    """Return the share that a measure asks for, in whole percent, rounded up."""
    if ramp is None or measure is None or measure <= ramp.start:
        return _NONE
    if measure >= ramp.full:
        return _ALL
    share = 100 * (measure - ramp.start) / (ramp.full - ramp.start)
    return int(share.to_integral_value(rounding=ROUND_CEILING))


def _divide(
    facts: OrderFacts,
    policy: Policy,
    share: tuple[Reason, int],
    *,
    rule: Rule | None = None,
    override: Override | None = None,
) -> Decision:
    """Turn a share into two quantities on the step; what does not divide goes to the providers."""
    reason, percent = share
    step = facts.instrument.quantity_step
    kept = facts.quantity * (_ALL - percent) / 100
    passed_on = facts.quantity - (kept - kept % step)
    if reason is not Reason.MANUAL and excess(facts, policy) > passed_on:
        reason, passed_on = Reason.EXPOSURE_LIMIT, excess(facts, policy)
    if passed_on and not facts.is_divisible:
        passed_on = facts.quantity
    return Decision(
        reason=reason,
        a_percent=percent,
        a_quantity=passed_on,
        b_quantity=facts.quantity - passed_on,
        rule=rule,
        override=override,
        policy=policy,
    )


def _up_to_step(quantity: Decimal, step: Decimal) -> Decimal:
    return (quantity / step).to_integral_value(rounding=ROUND_CEILING) * step
