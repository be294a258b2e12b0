"""What names mean: money, scores, identifiers, times, flags.

Rules about meaning read names as a person would. The words are kept here, once, so that two
rules never disagree on what an amount is.
"""

import re
from functools import cache

from tradewright.review.schema.catalog import Column, Schema, Table

_MONEY = re.compile(
    r"(?:^|_)(?:price|amount|balance|fee|fees|pnl|profit|loss|cost|commission|credit|debit|"
    r"equity|margin|notional|deposit|withdrawal|payout|turnover|proceeds|swap|collateral|"
    r"bid|ask|nav|premium)(?:_|$)",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"(?:^|_)(?:quantity|qty|volume|lots?|units)(?:_|$)", re.IGNORECASE)
_RATE = re.compile(r"(?:^|_)(?:rate|exchange_rate|fx_rate|spread|markup)(?:_|$)", re.IGNORECASE)
_NOT_MONEY = re.compile(
    r"(?:_|^)(?:count|level|percent|pct|ratio|id|at|on|type|mode|bps|seconds|ms|days|score|"
    r"currency|limit_type|status|name|code|reason|source|ref|reference|per_second|time)$",
    re.IGNORECASE,
)
_SCORE = re.compile(
    r"(?:^|_)(?:score|percent|percentage|pct|ratio|probability|confidence)(?:_|$)", re.IGNORECASE
)
_CURRENCY = re.compile(r"(?:^|_)(?:currency|ccy)(?:_code)?$", re.IGNORECASE)
_CREATED = re.compile(r"^(?:created|recorded|occurred|logged|inserted|posted|event)_?(?:at|time)$")
_AUDIT = re.compile(r"audit|ledger|journal|history|event|_log$|^log_", re.IGNORECASE)

FLOATS = frozenset({"real", "double precision", "float"})
EXACT = frozenset({"numeric", "decimal"})
INTEGERS = frozenset({"smallint", "integer", "bigint"})
TEXTS = frozenset({"text", "varchar", "char", "character varying", "character"})

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def in_words(name: str) -> str:
    """Return a name as small words with `_` between them: `unitPrice` says what unit_price says."""
    return _HUMP.sub("_", name).lower()


def is_money(name: str) -> bool:
    """Return whether a column's name says that it holds money."""
    name = in_words(name)
    return bool(_MONEY.search(name)) and not _NOT_MONEY.search(name)


def is_exact_quantity(name: str) -> bool:
    """Return whether a column holds money, a quantity or a rate, which must not be rounded."""
    name = in_words(name)
    said = _MONEY.search(name) or _QUANTITY.search(name) or _RATE.search(name)
    return bool(said) and not _NOT_MONEY.search(name)


def is_score(name: str) -> bool:
    """Return whether a column's name says that its values have a range of their own."""
    return bool(_SCORE.search(in_words(name)))


def is_currency(name: str) -> bool:
    """Return whether a column names a currency."""
    return bool(_CURRENCY.search(in_words(name)))


def is_creation_time(name: str) -> bool:
    """Return whether a column tells when its row was written."""
    return bool(_CREATED.match(in_words(name)))


def keeps_order(table: str) -> bool:
    """Return whether the order of a table's rows is its point: audit, ledger, events."""
    return bool(_AUDIT.search(table))


def plural_forms(word: str) -> tuple[str, ...]:
    """Return the names a table of such things may have."""
    forms = [word, f"{word}s", f"{word}es"]
    if word.endswith("y"):
        forms.append(f"{word[:-1]}ies")
    return tuple(forms)


def referred_table(column: Column, schema: Schema) -> Table | None:
    """Return the table that a column `thing_id` speaks of: things, thing, Thing, or `..._things`.

    `thingId` speaks of the same.
    """
    name = in_words(column.name)
    if not name.endswith("_id") or name == "_id":
        return None
    stem = name[:-3]
    for part in (stem, stem.rpartition("_")[2]):
        for form in plural_forms(part):
            for written in (form, form.title().replace("_", "")):
                if written in schema.by_name:
                    return schema.by_name[written]
    return None
