"""Whether what a setting holds for is there: an account, a group or an instrument."""

from typing import assert_never

from tradewright.postgres.connect import Session
from tradewright.risk.limits import Scope, Target
from tradewright.trading.groups import find_group
from tradewright.trading.inquiry import find_account
from tradewright.trading.instruments import find_instrument


def require_target(session: Session, target: Target) -> None:
    """Refuse a name that nothing has, rather than say that nothing is set for it.

    Raises:
        InputError: ACCOUNT_UNKNOWN, ACCOUNT_GROUP_UNKNOWN, INSTRUMENT_UNKNOWN.

    """
    name = target.name or ""
    match target.scope:
        case Scope.ACCOUNT:
            find_account(session, name)
        case Scope.GROUP:
            find_group(session, name)
        case Scope.INSTRUMENT:
            find_instrument(session, name)
        case Scope.ALL:
            pass
        case _:
            assert_never(target.scope)
