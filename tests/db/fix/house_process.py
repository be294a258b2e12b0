"""An engine behind FIX in a process of its own, for the tests that kill it."""

import sys
from pathlib import Path

from tests.fix_floor import FixFloor
from tests.floor import Floor, buy
from tradewright.core.clock import pause
from tradewright.postgres.connect import connect


def main(conninfo: str, account: str, orders_port: str, quotes_port: str) -> None:
    """Submit orders one after the other, for ever."""
    with connect(conninfo, autocommit=True) as session:
        stage = FixFloor(conninfo, Path(), Floor(conninfo, session), account)
        stage.ports = (int(orders_port), int(quotes_port))
        with stage.engine() as running:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
            while True:
                running.submit(buy(account, 10_000)).result(timeout=30)
                pause(0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
