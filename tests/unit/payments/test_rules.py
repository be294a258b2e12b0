"""What a payment may be and how suspect it is, at every edge."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tradewright.core.errors import ErrorCode, MoneyError
from tradewright.payments import checks
from tradewright.payments.checks import CHECKS
from tradewright.payments.model import (
    Counted,
    History,
    Limit,
    PaymentKind,
    PaymentRequest,
    RiskLevel,
    Used,
    Verdict,
)
from tradewright.payments.rules import (
    check_fraud,
    is_small,
    level_of,
    require_within_limit,
    verdict_of,
)

QUIET = History(
    user_age=timedelta(days=400),
    payments_last_hour=0,
    failures_last_day=0,
    succeeded_count=10,
    amount_average=Decimal(100),
    amount=Decimal(100),
    deposit_age=timedelta(days=30),
    has_traded_since=True,
)
LIMIT = Limit(Decimal(1000), Decimal(2000), Decimal(5000))


def request(kind: PaymentKind = PaymentKind.DEPOSIT, amount: str = "100") -> PaymentRequest:
    return PaymentRequest(
        payment_id="p", user_id="u", kind=kind, currency="USD", amount=Decimal(amount)
    )


def dollars(amount: str) -> Counted:
    return Counted(Decimal(1), Decimal(amount))


def test_every_check_is_a_file_and_every_file_a_check() -> None:
    files = {path.stem for path in Path(str(checks.__file__)).parent.glob("*.py")}
    assert files - {"__init__"} == set(CHECKS)


def points(rule: str, asked: PaymentRequest, history: History) -> int:
    return CHECKS[rule](asked, history).points


@pytest.mark.parametrize(
    ("score", "level"),
    [
        ("0", RiskLevel.LOW),
        ("29.99", RiskLevel.LOW),
        ("30", RiskLevel.MEDIUM),
        ("59.99", RiskLevel.MEDIUM),
        ("60", RiskLevel.HIGH),
        ("84.99", RiskLevel.HIGH),
        ("85", RiskLevel.CRITICAL),
        ("100", RiskLevel.CRITICAL),
    ],
)
def test_levels_begin_at_their_edges(score: str, level: RiskLevel) -> None:
    """Case 43."""
    assert level_of(Decimal(score)) is level


@pytest.mark.parametrize("score", ["-0.01", "100.01", "NaN", "Infinity"])
def test_a_score_outside_0_to_100_has_no_level(score: str) -> None:
    """Case 43."""
    with pytest.raises(ValueError, match="between 0 and 100"):
        level_of(Decimal(score))


@pytest.mark.parametrize(
    ("level", "verdict"),
    [
        (RiskLevel.LOW, Verdict.ALLOW),
        (RiskLevel.MEDIUM, Verdict.REVIEW),
        (RiskLevel.HIGH, Verdict.REVIEW),
        (RiskLevel.CRITICAL, Verdict.DENY),
    ],
)
def test_a_verdict_follows_from_the_level(level: RiskLevel, verdict: Verdict) -> None:
    assert verdict_of(level) is verdict


def test_an_ordinary_payment_has_no_points() -> None:
    check = check_fraud(request(), QUIET)
    assert check.score == 0
    assert (check.level, check.verdict) == (RiskLevel.LOW, Verdict.ALLOW)
    assert check.findings == {}


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("299.99", 0), ("300", 10), ("499.99", 10), ("500", 25), ("999.99", 25), ("1000", 40)],
)
def test_an_amount_is_judged_against_the_users_average(amount: str, expected: int) -> None:
    asked = replace(QUIET, amount=Decimal(amount))
    assert points("amount_against_history", request(), asked) == expected


def test_with_fewer_than_three_payments_there_is_no_habit_to_break() -> None:
    few = replace(QUIET, succeeded_count=2, amount=Decimal(100000))
    assert points("amount_against_history", request(amount="100000"), few) == 0
    none = replace(few, succeeded_count=0, amount_average=None)
    assert points("amount_against_history", request(amount="100000"), none) == 0


@pytest.mark.parametrize(("count", "expected"), [(2, 0), (3, 15), (5, 35), (9, 35), (10, 60)])
def test_many_payments_within_an_hour_give_points(count: int, expected: int) -> None:
    assert points("payments_in_last_hour", request(), replace(QUIET, payments_last_hour=count)) == (
        expected
    )


@pytest.mark.parametrize(("count", "expected"), [(2, 0), (3, 20), (4, 20), (5, 40)])
def test_repeated_failures_give_points(count: int, expected: int) -> None:
    history = replace(QUIET, failures_last_day=count)
    assert points("failures_in_last_day", request(), history) == expected


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, 45), (59, 45), (60, 30), (1439, 30), (1440, 0)]
)
def test_a_withdrawal_soon_after_an_untraded_deposit_gives_points(
    minutes: int, expected: int
) -> None:
    asked = request(PaymentKind.WITHDRAWAL)
    history = replace(QUIET, deposit_age=timedelta(minutes=minutes), has_traded_since=False)
    assert points("withdrawal_without_trading", asked, history) == expected
    assert points("withdrawal_without_trading", request(), history) == 0
    traded = replace(history, has_traded_since=True)
    assert points("withdrawal_without_trading", asked, traded) == 0


@pytest.mark.parametrize(("hours", "expected"), [(0, 20), (23, 20), (24, 0)])
def test_a_user_of_less_than_a_day_gives_points(hours: int, expected: int) -> None:
    young = replace(QUIET, user_age=timedelta(hours=hours))
    assert points("new_user", request(PaymentKind.WITHDRAWAL), young) == expected
    assert points("new_user", request(), young) == expected // 2


@pytest.mark.parametrize(
    ("name", "field", "edges"),
    [
        ("device_shared", "device_user_count", {1: 0, 2: 15, 3: 40, 4: 40, 5: 60}),
        ("ip_address_shared", "ip_user_count", {4: 0, 5: 20, 9: 20, 10: 45}),
        ("ip_address_in_last_hour", "ip_payments_last_hour", {4: 0, 5: 30, 19: 30, 20: 60}),
    ],
)
def test_devices_and_addresses_give_points(name: str, field: str, edges: dict[int, int]) -> None:
    found = {}
    for count in edges:
        change: dict[str, Any] = {field: count}
        found[count] = points(name, request(), replace(QUIET, **change))
    assert found == edges


@pytest.mark.parametrize(("hours", "expected"), [(0, 25), (23, 25), (24, 0)])
def test_a_withdrawal_from_a_new_device_gives_points(hours: int, expected: int) -> None:
    history = replace(QUIET, device_age=timedelta(hours=hours))
    assert points("new_device", request(PaymentKind.WITHDRAWAL), history) == expected
    assert points("new_device", request(), history) == 0
    assert points("new_device", request(PaymentKind.WITHDRAWAL), QUIET) == 0


def test_points_are_added_and_capped_and_the_findings_say_their_inputs() -> None:
    worst = replace(
        QUIET,
        amount=Decimal(5000),
        user_age=timedelta(0),
        payments_last_hour=12,
        failures_last_day=6,
        deposit_age=timedelta(0),
        has_traded_since=False,
    )
    check = check_fraud(request(PaymentKind.WITHDRAWAL, "5000"), worst)
    assert check.score == 100
    assert check.verdict is Verdict.DENY
    assert sum(finding.points for finding in check.findings.values()) == 205
    assert set(check.findings) == {
        name for name in CHECKS if not name.startswith(("device", "new_device", "ip_address"))
    }
    assert check.findings["amount_against_history"].inputs == {
        "amount_usd": "5000",
        "average_usd": "100.00000000",
    }


def test_a_strong_finding_is_not_diluted_by_quiet_rules() -> None:
    check = check_fraud(request(), replace(QUIET, payments_last_hour=10))
    assert check.score == 60
    assert check.verdict is Verdict.REVIEW


def test_the_limits_themselves_are_allowed() -> None:
    assert (
        require_within_limit(request(), dollars("1000"), LIMIT, Used(Decimal(1000), Decimal(4000)))
        is LIMIT
    )


STORED = replace(LIMIT, amount_max=Decimal("1000.00000000"))
"""A limit as the database keeps it, with all of its decimals."""


@pytest.mark.parametrize(
    ("amount", "used", "limit", "said"),
    [
        ("1000.01", "0 0", LIMIT, "at most 1000 USD at once"),
        ("1000.01", "0 0", STORED, "at most 1000 USD at once"),
        ("1000", "1000.01 1000.01", LIMIT, "at most 2000 USD in a UTC day"),
        ("1000", "1000 4000.01", LIMIT, "at most 5000 USD in 30 days"),
        ("0.01", "0 0", None, "none is allowed"),
        ("0.01", "0 0", Limit(Decimal(0), Decimal(0), Decimal(0)), "at most 0 USD at once"),
    ],
)
def test_over_the_limit_is_refused_with_its_figure(
    amount: str, used: str, limit: Limit | None, said: str
) -> None:
    with pytest.raises(MoneyError) as caught:
        require_within_limit(
            request(amount=amount), dollars(amount), limit, Used(*map(Decimal, used.split()))
        )
    assert caught.value.code == ErrorCode.PAYMENT_LIMIT_EXCEEDED
    assert said in caught.value.what


def test_what_is_over_in_dollars_is_told_with_its_rate() -> None:
    euros = replace(request(amount="1000"), currency="EUR")
    none = Used(Decimal(0), Decimal(0))
    with pytest.raises(MoneyError) as caught:
        require_within_limit(euros, Counted(Decimal("1.1"), Decimal(1100)), LIMIT, none)
    assert caught.value.what == (
        "deposit of 1000 EUR, which is 1100 USD at 1.1, is over the limit: at most 1000 USD at once"
    )


@pytest.mark.parametrize(("amount", "expected"), [("200", True), ("200.01", False)])
def test_a_fifth_of_the_largest_amount_is_small(amount: str, expected: bool) -> None:
    assert is_small(dollars(amount), LIMIT) is expected
