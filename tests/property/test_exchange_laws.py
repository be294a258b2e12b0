"""Exchanges of any amount, rate and spread: the client never gets more than the rate gives."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cast import open_user, open_wallet
from tests.floor import refusal
from tradewright import audit, ledger
from tradewright.core.ids import new_id_text
from tradewright.core.money import MINOR_UNITS
from tradewright.ledger import Exchange
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give a session on one database for all examples; hold every law at the end."""
    server.create_database("exchanges", template=engine_template)
    with connect(server.conninfo("exchanges"), autocommit=True) as opened:
        yield opened
        audit.require_laws(audit.check_laws(opened))
    server.drop_database("exchanges")


@settings(max_examples=40, deadline=None)
@given(
    units=st.integers(1, 10_000_000),
    pair=st.sampled_from([("USD", "JPY"), ("JPY", "BTC"), ("BTC", "USD"), ("EUR", "XAU")]),
    rate=st.decimals(Decimal("0.000001"), Decimal(100_000), places=6),
    spread=st.decimals(Decimal(0), Decimal("0.5"), places=4),
)
def test_the_client_gets_what_the_rate_gives_rounded_down_and_never_more(
    shared: Session, units: int, pair: tuple[str, str], rate: Decimal, spread: Decimal
) -> None:
    """Case 32, for any amount, rate and spread."""
    user_id = open_user(shared)
    amount = Decimal(units).scaleb(-MINOR_UNITS[pair[0]])
    open_wallet(shared, user_id, str(amount), pair[0])
    exact = amount * rate * (1 - spread)
    unit = Decimal(1).scaleb(-MINOR_UNITS[pair[1]])
    asked = Exchange(
        from_currency=pair[0], to_currency=pair[1], amount=amount, mid_rate=rate, spread=spread
    )
    if exact < unit or exact >= Decimal("1e12"):
        refusal(lambda: ledger.exchange(shared, user_id, asked, transaction_id=new_id_text()))
        return
    reply = ledger.exchange(shared, user_id, asked, transaction_id=new_id_text())
    assert reply.available <= exact < reply.available + unit
