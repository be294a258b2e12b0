"""Asking the finished schema about itself, as the migrations' own role."""

from typing import Any

from tradewright.postgres.queries import load_queries
from tradewright.review.prove.shadow import Shadow


def ask(shadow: Shadow, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of one of this room's queries."""
    with shadow.session() as session:
        return session.execute(load_queries("tradewright.review.verify")[query], {}).fetchall()
