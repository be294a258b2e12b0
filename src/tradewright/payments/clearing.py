"""Through which of the house's holders each provider's money comes and goes."""

from collections.abc import Mapping
from types import MappingProxyType

from tradewright.ledger import HouseCode
from tradewright.payments.model import Provider

CLEARING: Mapping[Provider, HouseCode] = MappingProxyType(
    {
        Provider.DIRECT: HouseCode.CLEARING,
        Provider.CARDS: HouseCode.CLEARING_CARDS,
        Provider.CHAIN: HouseCode.CLEARING_CHAIN,
    }
)
"""The house holder through which each provider's money comes and goes."""
