"""The pages, one module for each part of the console, and the list of all of them."""

from tradewright.console.pages import (
    accounts,
    audit,
    clients,
    dealer,
    migrations,
    orders,
    overview,
    payments,
    risk,
    settings,
    suspense,
    upkeep,
)

PAGES = (
    *overview.PAGES,
    *upkeep.PAGES,
    *dealer.PAGES,
    *orders.PAGES,
    *risk.PAGES,
    *payments.PAGES,
    *suspense.PAGES,
    *clients.PAGES,
    *accounts.PAGES,
    *audit.PAGES,
    *migrations.PAGES,
    *settings.PAGES,
)
"""Every page and form."""

__all__ = ["PAGES"]
