"""The rows of the house's own commands: its hedges and its exposure, read under their lock.

Read only where a batch has such a command; `store` reads what clients' commands need.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tradewright.liquidity.model import Side
from tradewright.postgres.connect import Session
from tradewright.postgres.pipeline import Statements
from tradewright.postgres.queries import load_queries
from tradewright.routing.model import Book
from tradewright.routing.store import profile_of
from tradewright.trading.house_commands import HOUSE, HOUSE_CHANGED, OpenHedge
from tradewright.trading.model import BookAnswers, Command
from tradewright.trading.state import Desk, Hedge, HedgedPosition, HedgeStatus

_QUERIES = "tradewright.trading"


def lock_house(statements: Statements, desk: Desk, commands: Sequence[Command]) -> None:
    """Lock hedging, and lay out what is there in the symbols that the commands are about.

    The lock is taken after those of accounts.
    """
    symbols = sorted({c.symbol for c in commands if isinstance(c, OpenHedge)})
    answered = [c for c in commands if isinstance(c, BookAnswers) and c.account_id == HOUSE]
    ids = sorted({command.order_id for command in answered})
    if not symbols and not ids:
        return
    queries, named = load_queries(_QUERIES), {"ids": ids, "symbols": symbols}
    statements.execute(queries["lock_hedging"], {})
    asked = [
        statements.execute(queries["hedges_at_hand"], named),
        statements.execute(queries["hedged_positions"], {"ids": ids}),
        statements.execute(queries["exposures_of"], {"symbols": symbols}),
    ]
    hedges, positions, nets = (rows.fetchall() for rows in asked)
    desk.hedges = {row[0]: _hedge(row) for row in hedges}
    desk.hedged_positions = {
        row[0]: HedgedPosition(seq=row[1], quantity=row[2], price=row[3]) for row in positions
    }
    desk.house_nets = dict(nets)


def read_clients(
    statements: Statements, desk: Desk, asked: Mapping[str, list[tuple[Any, ...]]]
) -> None:
    """Lay out the profiles that are locked, and what orders of hybrid accounts are divided by.

    And since when positions were open whose closing has been measured.
    """
    rows = list(asked.get("lock_client_profiles", ()))
    owners = {one.holder.user_id for one in desk.accounts.values() if one.book is Book.HYBRID}
    if owners:
        queries = load_queries(_QUERIES)
        profiles = statements.execute(queries["client_profiles"], {"ids": sorted(owners)})
        nets = statements.execute(queries["exposures"], {})
        rows += profiles.fetchall()
        desk.exposures.learn(dict(nets.fetchall()))
    desk.profiles = {row[0]: profile_of(row[1:]) for row in rows}
    desk.opened_at = dict(asked.get("openings_of_positions", ()))


def read_exposures(connection: Session) -> dict[str, Decimal]:
    """Read the house's net exposure by symbol."""
    return dict(connection.execute(load_queries(_QUERIES)["exposures"]).fetchall())


def roll_up_exposures(connection: Session, *, from_zero: bool = False) -> int:
    """Count what batches have appended into the house's exposure; return how many rows it were.

    Run it every minute or so: reading the exposure costs what came since. `from_zero` adds up
    everything anew.
    """
    query = load_queries(_QUERIES)["roll_up_exposures"]
    row = connection.execute(query, {"from_zero": from_zero}).fetchone()
    return 0 if row is None else int(row[0])


def tell_house_changed(connection: Session) -> None:
    """Let engines read the house's exposure anew, once the transaction is committed."""
    connection.execute(load_queries(_QUERIES)["tell_engines"], {"texts": [HOUSE_CHANGED]})


def read_open_hedges(connection: Session) -> list[Hedge]:
    """Read the hedges whose provider's last word is awaited."""
    return [_hedge(row) for row in connection.execute(load_queries(_QUERIES)["open_hedges"])]


def is_hedge(connection: Session, hedge_id: str) -> bool:
    """Return whether an id is that of a hedge."""
    query = load_queries(_QUERIES)["hedge_exists"]
    return connection.execute(query, {"id": hedge_id}).fetchone() is not None


def _hedge(row: tuple[Any, ...]) -> Hedge:
    return Hedge(
        id=row[0],
        symbol=row[1],
        side=Side(row[2]),
        quantity=row[3],
        filled_quantity=row[4],
        status=HedgeStatus(row[5]),
        engine_id=row[6],
    )
