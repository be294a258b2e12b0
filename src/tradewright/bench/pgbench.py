"""PostgreSQL's own benchmark, TPC-B (sort of), as the yardstick of the same server and run.

The same program, with the same clients and threads, runs our own statements beside it, so that
neither side has the faster client.
"""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.postgres.connect import connect
from tradewright.postgres.embedded import EmbeddedServer

DATABASE = "pgbench"
SCALE = 10
CLIENTS = 8
THREADS = 2

_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
_LATENCY_COLUMN = 2


@dataclass(frozen=True, slots=True)
class Measured:
    """Operations per second, how many there were, and latencies in seconds.

    A latency is one call's; where one call did many operations, there are fewer. `batches` counts
    what a writer made of the operations of its clients.
    """

    per_second: float
    operations: int
    latencies: list[float]
    batches: int = 0


def prepare_pgbench(server: EmbeddedServer) -> None:
    """Make a database of its own with pgbench's tables at scale 10 (a million accounts)."""
    server.create_database(DATABASE)
    _run(server, "--initialize", "--quiet", "--scale", str(SCALE), server.conninfo(DATABASE))


def checkpoint(server: EmbeddedServer) -> None:
    """Write everything out, so that the next figure does not pay for what went before."""
    with connect(server.conninfo(DATABASE), autocommit=True) as session:
        session.execute("CHECKPOINT")


def run_tpc_b(server: EmbeddedServer, seconds: int) -> Measured:
    """Run TPC-B with 8 clients on 2 threads, and measure each transaction."""
    return _measure(server, server.conninfo(DATABASE), _load(seconds))


def run_script(server: EmbeddedServer, conninfo: str, script: str, seconds: int) -> Measured:
    """Run a script of ours with as many clients and threads as TPC-B; `call` begins at 0."""
    with TemporaryDirectory(prefix="tw-") as folder:
        path = Path(folder) / "script.sql"
        path.write_text(script, encoding="utf-8")
        counted = ("--define", "call=0", "--file", str(path))
        return _measure(server, conninfo, (*_load(seconds), *counted))


def _load(seconds: int) -> tuple[str, ...]:
    clients = ("--client", str(CLIENTS), "--jobs", str(THREADS))
    return (*clients, "--time", str(seconds), "--no-vacuum")


def _measure(server: EmbeddedServer, conninfo: str, options: tuple[str, ...]) -> Measured:
    with TemporaryDirectory(prefix="tw-") as folder:
        log = ("--log", "--log-prefix", str(Path(folder) / "log"))
        answer = _run(server, *options, *log, conninfo)
        lines = (line for path in Path(folder).iterdir() for line in path.open(encoding="utf-8"))
        latencies = [int(line.split()[_LATENCY_COLUMN]) / 1_000_000 for line in lines]
    return Measured(_per_second(answer), len(latencies), latencies)


def _per_second(answer: str) -> float:
    found = _TPS.search(answer)
    if found is None:
        raise _failed(answer)
    return float(found.group(1))


def _run(server: EmbeddedServer, *arguments: str) -> str:
    done = subprocess.run(
        [str(server.binary("pgbench")), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if done.returncode:
        raise _failed(done.stderr)
    return done.stdout


def _failed(answer: str) -> DatabaseError:
    return DatabaseError(
        ErrorCode.BENCH_PGBENCH_FAILED,
        "pgbench could not be run",
        why=answer.strip()[-500:],
        hint="Check that the embedded server's programs can be started on this machine.",
    )


def percentile(ranked: Sequence[float], share: float, *, digits: int = 2) -> float:
    """Return a percentile of sorted seconds, in milliseconds with so many digits."""
    return round(ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1000, digits)
