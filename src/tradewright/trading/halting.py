"""How a batch cancels what rests in an account when a kill is in force; `kill_switch` asks for it.

An order that is with a provider is asked back from it; a fill on its way wins. No other provider is
asked for it, whichever engine it is with.
"""

from tradewright.core.errors import ErrorCode
from tradewright.risk.halts import HaltMode
from tradewright.trading import orders
from tradewright.trading.lifecycle import outranks
from tradewright.trading.model import MarginReport, OrderStatus
from tradewright.trading.state import AccountState, Desk


def halt_orders(desk: Desk, account: AccountState) -> MarginReport:
    """Cancel the account's resting orders that fall under a kill."""
    canceled = 0
    for order in list(account.live_orders.values()):
        symbol = order.instrument.symbol
        halt = desk.reference.halts.of(account.id, account.group.code, symbol)
        if halt is None or halt.mode is not HaltMode.HALTED or not order.status.is_live:
            continue
        if not order.is_routed:
            orders.end(desk, order, ErrorCode.TRADING_HALTED, None)
            canceled += 1
        elif outranks(OrderStatus.PENDING_CANCEL, order.status):
            orders.ask_cancel(desk, order, ErrorCode.TRADING_HALTED)
            canceled += 1
    return MarginReport(account.id, None, orders_canceled=canceled)
