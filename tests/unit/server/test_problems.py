"""Every code has the status that its meaning asks for."""

import pytest

from tradewright.core.errors import ErrorCode
from tradewright.server.http.problems import status_of

TOLD = {
    ErrorCode.ACCESS_DENIED: 403,
    ErrorCode.ACCESS_KEY_REFUSED: 401,
    ErrorCode.ACCOUNT_UNKNOWN: 404,
    ErrorCode.DATABASE_LOCK_TIMEOUT: 503,
    ErrorCode.DATABASE_OUTCOME_UNKNOWN: 504,
    ErrorCode.DATABASE_UNREACHABLE: 503,
    ErrorCode.DATABASE_VALUE_REFUSED: 422,
    ErrorCode.ENGINE_OUTCOME_UNKNOWN: 504,
    ErrorCode.ENGINE_QUEUE_FULL: 503,
    ErrorCode.ENGINE_UNREACHABLE: 503,
    ErrorCode.HTTP_BODY_TOO_LARGE: 413,
    ErrorCode.INPUT_AMOUNT_MALFORMED: 422,
    ErrorCode.INPUT_COMMAND_MALFORMED: 422,
    ErrorCode.INPUT_CURRENCY_UNKNOWN: 422,
    ErrorCode.INTERNAL_DEFECT: 500,
    ErrorCode.MONEY_IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.MONEY_INSUFFICIENT_FUNDS: 409,
    ErrorCode.ORDER_DUPLICATE_DIFFERS: 409,
    ErrorCode.ORDER_ENDED: 409,
    ErrorCode.ORDER_PRICE_OFF_TICK: 422,
    ErrorCode.ORDER_UNKNOWN: 404,
    ErrorCode.PAYMENT_APPROVAL_REFUSED: 409,
    ErrorCode.PAYMENT_LIMIT_EXCEEDED: 409,
    ErrorCode.PAYMENT_UNKNOWN: 404,
    ErrorCode.USER_NOT_ACTIVE: 409,
    ErrorCode.USER_ROLE_MISSING: 403,
}


@pytest.mark.parametrize(("code", "status"), TOLD.items())
def test_a_code_is_told_with_its_status(code: ErrorCode, status: int) -> None:
    assert status_of(code) == status


def test_what_may_have_been_done_is_never_told_as_failed_or_to_be_tried_anew() -> None:
    unknown = [code for code in ErrorCode if code.endswith("_OUTCOME_UNKNOWN")]
    assert {status_of(code) for code in unknown} == {504}
    assert len(unknown) == 2


def test_every_code_is_told_with_a_status_of_a_refusal() -> None:
    assert {status_of(code) // 100 for code in ErrorCode} == {4, 5}
