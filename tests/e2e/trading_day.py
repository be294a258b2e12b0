"""A day for the end-to-end tests: a small quote file, and the command run as a person runs it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

OPENS_AT = datetime(2026, 1, 13, 8, tzinfo=UTC)
START = {"EURUSD": (116_500, 5, 6), "USDJPY": (158_000, 3, 8)}
"""Symbol → opening price in ticks, decimals, spread in ticks."""


def write_quotes(path: Path, count: int = 1_500, *, truefx: bool = False) -> Path:
    """Write a seeded walk of two symbols, with some crossed, repeated and late quotes."""
    random = Random(7)  # noqa: S311 (a simulation)
    ticks = {symbol: opening for symbol, (opening, _, _) in START.items()}
    lines = [] if truefx else ["timestamp,symbol,bid,ask"]
    for number in range(count):
        symbol = list(START)[number % 2]
        _, digits, spread = START[symbol]
        if number % 19:
            ticks[symbol] += random.randint(-40, 40) - (30 if number > count * 3 // 4 else 0)
        bid, ask = ticks[symbol], ticks[symbol] + (-spread if number % 53 == 52 else spread)
        late = 5 if number % 127 == 126 else 0
        quoted_at = OPENS_AT + timedelta(seconds=2 * number - late)
        prices = ",".join(
            f"{price // 10**digits}.{price % 10**digits:0{digits}}" for price in (bid, ask)
        )
        if truefx:
            lines.append(f"{symbol[:3]}/{symbol[3:]},{quoted_at:%Y%m%d %H:%M:%S}.000,{prices}")
        else:
            lines.append(f"{quoted_at:%Y-%m-%dT%H:%M:%SZ},{symbol},{prices}")
    path.write_text("\n".join(lines) + "\n")
    return path


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of the command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what was printed as JSON."""
        return json.loads(self.out)


def start(*words: str) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tradewright", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str], *, seconds: float = 120) -> Ended:
    """Wait until a started command has ended."""
    out, err = process.communicate(timeout=seconds)
    return Ended(process.returncode, out, err)


def run(*words: str) -> Ended:
    """Run the command to its end."""
    return finish(start(*words))
