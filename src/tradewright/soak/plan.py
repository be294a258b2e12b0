"""What a soak is asked for, and when it kills: all of it drawn from the seed."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tradewright.core.clock import monotonic_seconds, pause

_EARLIEST, _LATEST = 0.15, 0.9
"""Shares of the run between which something is killed: before there is nothing to lose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoakPlan:
    """How long, from how many sessions, from which seed, and how often something is killed."""

    seconds: int
    sessions: int
    seed: int
    kills: int


def kill_instants(plan: SoakPlan, victim: str) -> list[float]:
    """Draw the instants at which a victim is killed, in seconds from the beginning."""
    random = Random(f"{plan.seed}/{victim}")  # noqa: S311 (a load, not a secret)
    shares = sorted(random.uniform(_EARLIEST, _LATEST) for _ in range(plan.kills))
    return [share * plan.seconds for share in shares]


def wait_for_each(victims: list[tuple[float, str]]) -> Iterator[str]:
    """Wait for each instant, from now on, and give what is to be killed then."""
    begun = monotonic_seconds()
    for instant, victim in sorted(victims):
        pause(max(0.0, begun + instant - monotonic_seconds()))
        yield victim
