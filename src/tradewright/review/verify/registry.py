"""Finding the tests, every module of `checks`, and running them."""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache

import psycopg

from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import TradewrightError
from tradewright.review.verify import checks
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome, Verdict


@cache
def all_checks() -> tuple[Check, ...]:
    """Return the tests by their numbers."""
    modules = pkgutil.iter_modules(checks.__path__)
    found: list[Check] = [
        importlib.import_module(f"{checks.__name__}.{module.name}").CHECK for module in modules
    ]
    return tuple(sorted(found, key=lambda check: check.number))


def judge(ground: Ground, chosen: Iterable[Check]) -> tuple[Verdict, ...]:
    """Run tests, the one that takes the schema down behind all others; return them by number."""
    verdicts = [_verdict(check, ground) for check in sorted(chosen, key=lambda c: c.is_last)]
    return tuple(sorted(verdicts, key=lambda verdict: verdict.number))


def _verdict(check: Check, ground: Ground) -> Verdict:
    started = monotonic_seconds()
    try:
        outcome = check.run(ground)
    except (psycopg.Error, TradewrightError) as error:
        outcome = Outcome.of("it could not be finished", [_told(error)], {})
    elapsed_ms = round((monotonic_seconds() - started) * 1000)
    return Verdict(
        number=check.number,
        id=check.id,
        title=check.title,
        outcome=outcome,
        elapsed_ms=elapsed_ms,
    )


def _told(error: Exception) -> str:
    if isinstance(error, TradewrightError):
        return f"{error.what}: {_first_line(error.why)}"
    return _first_line(str(error))


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
