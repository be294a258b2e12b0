"""The templates and their filters: all is escaped, and a name that is missing is a defect."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from tradewright.console import words

_FILTERS = (
    *(
        words.amount,
        words.money,
        words.rounded,
        words.quantity,
        words.price,
        words.cents,
        words.percent,
        words.reason,
        words.step,
        words.lapse,
        words.figure,
        words.linked,
        words.share,
        words.instant,
        words.moment,
        words.span,
    ),
    *(words.short, words.values, words.gist, words.plain, words.spoken),
)


def render(template: str, facts: Mapping[str, Any]) -> str:
    """Return a page as HTML."""
    return _environment().get_template(template).render(facts)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tradewright.console", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({filter_.__name__: filter_ for filter_ in _FILTERS})
    return made
