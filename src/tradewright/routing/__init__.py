"""Which book an order goes to, and whose price it deals on.

`book` decides between the house's own book (B) and the providers (A) for orders of hybrid
accounts, `rules` spreads a quantity over the providers' levels; both are pure. `profiles` says
how toxic a client is. `service` writes what they are decided by. The client's price never depends
on the book.
"""

from tradewright.routing.book import decide_book
from tradewright.routing.exposures import Exposures
from tradewright.routing.model import (
    NO_SETTINGS,
    Book,
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
from tradewright.routing.profiles import ClientProfile
from tradewright.routing.rules import Allocation, allocate, beyond
from tradewright.routing.service import (
    OverrideOrder,
    add_rule,
    change_policy,
    disable_rule,
    lift_override,
    order_override,
    set_book,
    set_policy,
)
from tradewright.routing.store import read_profile, read_settings

__all__ = [
    "NO_SETTINGS",
    "Allocation",
    "Book",
    "ClientProfile",
    "Decision",
    "Exposures",
    "OrderFacts",
    "Override",
    "OverrideKind",
    "OverrideOrder",
    "Policy",
    "Ramp",
    "Reason",
    "Rule",
    "Settings",
    "add_rule",
    "allocate",
    "beyond",
    "change_policy",
    "decide_book",
    "disable_rule",
    "lift_override",
    "order_override",
    "read_profile",
    "read_settings",
    "set_book",
    "set_policy",
]
