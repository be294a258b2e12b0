"""The two instruments that the benchmarks trade, and a market for them that stands still."""

from datetime import datetime, timedelta
from decimal import Decimal

from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.instrument import Instrument
from tradewright.liquidity.model import Quote
from tradewright.trading.engine import Engine


def bench_instruments() -> list[Instrument]:
    """Return the two instruments that the benchmarks trade."""
    return [_instrument("EURUSD", "0.00001"), _instrument("USDJPY", "0.001")]


def quote_bench_market(engine: Engine, now: datetime) -> None:
    """Let the market stand still at one quote for each symbol."""
    engine.on_quote(Quote("EURUSD", Decimal("1.10000"), Decimal("1.10010"), now))
    engine.on_quote(Quote("USDJPY", Decimal("150.000"), Decimal("150.010"), now))


def _instrument(symbol: str, tick: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        base_currency=symbol[:3],
        quote_currency=symbol[3:],
        asset_class=AssetClass.FX_MAJOR,
        quantity_step=Decimal(1000),
        quantity_min=Decimal(1000),
        quantity_max=Decimal(10_000_000),
        price_tick=Decimal(tick),
        leverage_max=500,
        leverage_max_retail=30,
        commission_per_million=Decimal(35),
        quote_age_max=timedelta(seconds=60),
        is_tradable=True,
    )
