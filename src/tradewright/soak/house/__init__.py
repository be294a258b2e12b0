"""A soak of a whole house, run by its own commands, whose clients know nothing but HTTP.

Read `service` for what runs and is killed, `commands` for what clients ask, `checking` for what
they were promised.
"""

from tradewright.soak.house.report import HouseSoak
from tradewright.soak.house.service import soak_house

__all__ = ["HouseSoak", "soak_house"]
