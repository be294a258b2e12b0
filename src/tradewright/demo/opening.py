"""How the demo's broker opens its doors: what it lists, how it routes, hedges, stops and charges.

Whatever is there already, from an earlier day or before an interruption, stays as it is.
"""

from collections.abc import Sequence
from datetime import date

from tradewright.core.errors import ErrorCode, StateError
from tradewright.demo.listing import breakers_for, policies_for, swaps_for
from tradewright.liquidity.instrument import Instrument
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.risk.breaker_store import add_breaker, move_by_hand, read_breakers
from tradewright.risk.breakers import BreakerKind, BreakerState
from tradewright.routing import set_policy
from tradewright.trading.registry import list_instrument
from tradewright.trading.swap_store import set_swap_terms

_ACTOR = "demo"


def require_no_clients(session: Session) -> None:
    """Refuse a database in which somebody is a client whom no day of the demo has made one.

    Raises:
        StateError: DEMO_DATABASE_IN_USE.

    """
    row = session.execute(load_queries("tradewright.demo")["others_count"]).fetchone()
    if row == (0,):
        return
    raise StateError(
        ErrorCode.DEMO_DATABASE_IN_USE,
        "the database has clients of its own, among whom no trading day is played",
        why=f"It holds {row[0] if row else 'some'} users whom no demo has opened, and what a day "
        "books cannot be deleted again.",
        hint="Name another database, or leave out --database and DATABASE_URL: then the day runs "
        "on a server of its own.",
    )


def open_doors(
    session: Session, instruments: Sequence[Instrument], since: date, *, resumes: bool
) -> None:
    """Set the broker up in the caller's transaction, for a day that begins or is resumed."""
    for instrument in instruments:
        list_instrument(session, instrument)
    for policy in policies_for(instruments):
        set_policy(session, policy)
    for terms in swaps_for(instruments, since):
        try:
            with session.transaction():
                set_swap_terms(session, terms)
        except StateError as error:
            if error.code is not ErrorCode.SWAP_TERMS_SET:
                raise
    _set_breakers(session, instruments)
    if not resumes:
        _arm_breakers(session)


def _set_breakers(session: Session, instruments: Sequence[Instrument]) -> None:
    known = {breaker.code for breaker in read_breakers(session)}
    for settings in breakers_for(instruments):
        if settings.code not in known:
            add_breaker(session, settings, actor=_ACTOR, reason="the broker lists it")


def _arm_breakers(session: Session) -> None:
    """Arm what an earlier day has left triggered: the market's time begins anew."""
    for breaker in read_breakers(session):
        if breaker.kind is not BreakerKind.MANUAL and breaker.state.stops:
            armed = BreakerState.ARMED
            move_by_hand(session, breaker.code, armed, actor=_ACTOR, reason="a new day begins")
