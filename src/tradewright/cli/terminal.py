"""Where tables are printed: as wide as the terminal, and never cut where there is none."""

import sys

from rich.console import Console

_WITHOUT_TERMINAL = 100_000
"""Columns of a file or a pipe: a table takes what it needs of them."""


def standard_console() -> Console:
    """Return the console of standard output."""
    if sys.stdout.isatty():
        return Console()
    return Console(width=_WITHOUT_TERMINAL)
