"""What policies, rules and overrides may say, told before they are written.

The constraints of their tables keep the same; here the value and its range are named.
"""

from decimal import Decimal

from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.ranges import NOT_NEGATIVE, PERCENT, POSITIVE, Range, require_ranges, whole
from tradewright.routing.model import OverrideKind, Policy, Ramp, Rule

_BPS = Range(Decimal(0), Decimal("99999999.9999"), decimals=4)
_RAMPS = {
    "toxicity": _BPS,
    "size": NOT_NEGATIVE,
    "exposure": NOT_NEGATIVE,
    "volatility": _BPS,
}
_POLICY = {
    "default_percent": PERCENT,
    "exposure_limit": POSITIVE,
    "hedge_target": NOT_NEGATIVE,
    "short_hold_bps": _BPS,
    "win_bps": _BPS,
    "reject_prone_bps": _BPS,
}
_RULE = {
    "priority": whole(-(2**31), 2**31 - 1),
    "percent": PERCENT,
    "quantity_min": POSITIVE,
    "quantity_max": POSITIVE,
}


def require_policy(policy: Policy) -> None:
    """Refuse a policy with a number out of range, or measures that do not rise.

    Raises:
        InputError: ROUTING_TERMS_MALFORMED.

    """
    numbers = {name: getattr(policy, name) for name in _POLICY}
    require_ranges(ErrorCode.ROUTING_TERMS_MALFORMED, numbers, _POLICY)
    for name, allowed in _RAMPS.items():
        _require_ramp(name, getattr(policy, name), allowed)
    limit, target = policy.exposure_limit, policy.hedge_target
    if target is not None and (limit is None or target >= limit):
        told = "without an exposure limit" if limit is None else f"with an exposure limit {limit:f}"
        raise _malformed(
            f"hedge target {target:f} {told} hedges nothing",
            "Above its limit the house hedges down to the target, which is below it.",
            "Give --exposure-limit and a smaller --hedge-target.",
        )


def require_rule(rule: Rule) -> None:
    """Refuse a rule with a number out of range, or quantities that no order has.

    Raises:
        InputError: ROUTING_TERMS_MALFORMED.

    """
    numbers = {
        "priority": rule.priority,
        "percent": rule.a_percent,
        "quantity_min": rule.quantity_min,
        "quantity_max": rule.quantity_max,
    }
    require_ranges(ErrorCode.ROUTING_TERMS_MALFORMED, numbers, _RULE)
    least, most = rule.quantity_min, rule.quantity_max
    if least is not None and most is not None and most < least:
        raise _malformed(
            f"no quantity is from {least:f} to {most:f}",
            "A rule holds for orders from its least to its largest quantity.",
            "Give --quantity-max that is not below --quantity-min.",
        )


def require_override(kind: OverrideKind, a_percent: int) -> None:
    """Refuse a share out of range, and a halt that does not pass everything on.

    Raises:
        InputError: ROUTING_TERMS_MALFORMED.

    """
    require_ranges(ErrorCode.ROUTING_TERMS_MALFORMED, {"percent": a_percent}, {"percent": PERCENT})
    if kind is OverrideKind.HALT and a_percent != PERCENT.high:
        raise _malformed(
            f"a halt cannot pass on {a_percent} %",
            "It passes everything on; a manual override passes on a share.",
            "Leave --percent away, or order `manual`.",
        )


def _require_ramp(name: str, ramp: Ramp | None, allowed: Range) -> None:
    if ramp is None:
        return
    ends = {f"{name}_from": ramp.start, f"{name}_full": ramp.full}
    require_ranges(ErrorCode.ROUTING_TERMS_MALFORMED, ends, dict.fromkeys(ends, allowed))
    if ramp.full <= ramp.start:
        raise _malformed(
            f"{name} does not rise from {ramp.start:f} to {ramp.full:f}",
            "Nothing is passed on up to the first value, and everything from the second.",
            "Give two values of which the second is larger.",
        )


def _malformed(what: str, why: str, hint: str) -> InputError:
    return InputError(ErrorCode.ROUTING_TERMS_MALFORMED, what, why=why, hint=hint)
