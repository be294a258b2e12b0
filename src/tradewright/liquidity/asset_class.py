"""Classes of assets, as far as a regulator or a shock of the market tells them apart.

Owns which class a pair of currencies belongs to and how much leverage a retail client may have in
each; `instruments` holds every listed instrument to that.
"""

from enum import StrEnum

MAJOR_CURRENCIES = frozenset({"USD", "EUR", "JPY", "GBP", "CAD", "CHF"})
"""Any two of these are a major pair: ESMA Decision (EU) 2018/796, annex I."""

_COINS = frozenset({"BTC", "ETH"})


class AssetClass(StrEnum):
    """The classes of ESMA Decision (EU) 2018/796, annex I, which sets the least initial margin."""

    FX_MAJOR = "fx_major"
    FX_MINOR = "fx_minor"
    GOLD = "gold"
    INDEX_MAJOR = "index_major"
    INDEX_MINOR = "index_minor"
    COMMODITY = "commodity"
    EQUITY = "equity"
    CRYPTO = "crypto"

    @property
    def is_forex(self) -> bool:
        """Return whether it is one currency priced in another."""
        return self in (AssetClass.FX_MAJOR, AssetClass.FX_MINOR)

    @property
    def leverage_max_retail(self) -> int:
        """Return the most leverage that a retail client may have, such as 30 for 30:1."""
        return _LEVERAGE_MAX_RETAIL[self]


_LEVERAGE_MAX_RETAIL = {
    AssetClass.FX_MAJOR: 30,
    AssetClass.FX_MINOR: 20,
    AssetClass.GOLD: 20,
    AssetClass.INDEX_MAJOR: 20,
    AssetClass.INDEX_MINOR: 10,
    AssetClass.COMMODITY: 10,
    AssetClass.EQUITY: 5,
    AssetClass.CRYPTO: 2,
}


def class_of_pair(base_currency: str, quote_currency: str) -> AssetClass:
    """Return the class of one currency priced in another; gold and coins count as currencies."""
    if base_currency in _COINS:
        return AssetClass.CRYPTO
    if base_currency == "XAU":
        return AssetClass.GOLD
    is_major = {base_currency, quote_currency} <= MAJOR_CURRENCIES
    return AssetClass.FX_MAJOR if is_major else AssetClass.FX_MINOR
