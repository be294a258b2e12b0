"""The console: pages in a browser for those who run the house, rendered on the server.

`open_console` gives a router for a server's app. Read `app` for how a request becomes
a page, `model` for what a page is, and `pages` for the pages; they read by the rooms' services and
by `queries.sql`, and change things by services alone, as the command line does.
"""

from tradewright.console.app import open_console

__all__ = ["open_console"]
