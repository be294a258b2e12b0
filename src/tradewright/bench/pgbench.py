"""PostgreSQL's own benchmark, TPC-B (sort of), as the yardstick of the same server and run."""

import re
import subprocess

from tradewright.core.errors import DatabaseError, ErrorCode
from tradewright.postgres.connect import connect
from tradewright.postgres.embedded import EmbeddedServer

DATABASE = "pgbench"
SCALE = 10
CLIENTS = 8
THREADS = 2

_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


def prepare_pgbench(server: EmbeddedServer) -> None:
    """Make a database of its own with pgbench's tables at scale 10 (a million accounts)."""
    server.create_database(DATABASE)
    _run(server, "--initialize", "--quiet", "--scale", str(SCALE))


def checkpoint(server: EmbeddedServer) -> None:
    """Write everything out, so that the next figure does not pay for what went before."""
    with connect(server.conninfo(DATABASE), autocommit=True) as session:
        session.execute("CHECKPOINT")


def run_pgbench(server: EmbeddedServer, seconds: int) -> float:
    """Run TPC-B with 8 clients on 2 threads and return its transactions per second."""
    answer = _run(
        server,
        "--client",
        str(CLIENTS),
        "--jobs",
        str(THREADS),
        "--time",
        str(seconds),
        "--no-vacuum",
    )
    found = _TPS.search(answer)
    if found is None:
        raise _failed(answer)
    return float(found.group(1))


def _run(server: EmbeddedServer, *options: str) -> str:
    done = subprocess.run(
        [str(server.binary("pgbench")), *options, server.conninfo(DATABASE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
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
