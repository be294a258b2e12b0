"""What changes rarely and is read once: instruments, groups, providers, the house's holders."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tradewright.ledger.model import HouseCode
from tradewright.ledger.store import house_holder_ids
from tradewright.liquidity.instrument import Instrument
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.trading.groups import AccountGroup, read_groups


@dataclass(frozen=True, slots=True)
class Reference:
    """Instruments by symbol, groups and providers by code, house holders by currency and code."""

    instruments: Mapping[str, Instrument]
    groups: Mapping[str, AccountGroup]
    provider_ids: Mapping[str, str]
    provider_priorities: Mapping[str, int]
    disabled_providers: frozenset[str]
    house: Mapping[str, Mapping[HouseCode, str]]


def read_reference(connection: Session) -> Reference:
    """Read the reference data; opens the house's holders of every account currency if new."""
    queries = load_queries("tradewright.trading")
    instruments = {row[0]: _instrument(row) for row in connection.execute(queries["instruments"])}
    providers = connection.execute(queries["providers"]).fetchall()
    currencies = connection.execute(queries["account_currencies"]).fetchall()
    return Reference(
        instruments=instruments,
        groups=read_groups(connection),
        provider_ids={code: provider_id for provider_id, code, _, _ in providers},
        provider_priorities={code: priority for _, code, priority, _ in providers},
        disabled_providers=frozenset(code for _, code, _, enabled in providers if not enabled),
        house={row[0]: house_holder_ids(connection, row[0]) for row in currencies},
    )


def _instrument(row: tuple[Any, ...]) -> Instrument:
    """Lay out one row; its numbers lose the column's zeros, since errors show them to people."""
    return Instrument(
        symbol=row[0],
        base_currency=row[1],
        quote_currency=row[2],
        quantity_step=row[3].normalize(),
        quantity_min=row[4].normalize(),
        quantity_max=row[5].normalize(),
        price_tick=row[6].normalize(),
        leverage_max=row[7],
        leverage_max_retail=row[8],
        commission_per_million=row[9].normalize(),
        quote_age_max=timedelta(milliseconds=row[10]),
        is_tradable=row[11],
    )
