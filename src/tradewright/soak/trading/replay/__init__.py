"""An arithmetic of its own: what orders, positions and balances must be, from what was recorded.

Plain Python over rows. Nothing here imports the engine: a rule that both had from one place could
be wrong in both. `record` holds the rows; the other modules replay them, and each difference is
named.
"""

from tradewright.soak.trading.replay.balances import replay_balances
from tradewright.soak.trading.replay.hedges import replay_hedges
from tradewright.soak.trading.replay.levels import replay_levels
from tradewright.soak.trading.replay.orders import replay_orders
from tradewright.soak.trading.replay.positions import replay_positions
from tradewright.soak.trading.replay.record import Difference, Record
from tradewright.soak.trading.replay.rollovers import replay_rollovers

__all__ = [
    "Difference",
    "Record",
    "replay_balances",
    "replay_hedges",
    "replay_levels",
    "replay_orders",
    "replay_positions",
    "replay_rollovers",
]
