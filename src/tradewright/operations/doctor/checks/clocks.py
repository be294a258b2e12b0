"""The server's clock and this machine's agree, and sessions begin in UTC."""

from datetime import datetime

from tradewright.core.clock import utc_now
from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok, warning

_SECONDS_MAX = 1.0
_UTC = ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/UCT", "UCT", "Zulu", "Universal", "Etc/Universal")


def judge(before: datetime, server: datetime, after: datetime) -> Finding:
    """Judge the server's time by ours before and after it was asked for."""
    apart = max((before - server).total_seconds(), (server - after).total_seconds(), 0.0)
    if apart > _SECONDS_MAX:
        return failure(
            f"the clocks of server and client are at least {apart:.1f} s apart",
            why="Quotes are judged stale by one clock and orders stamped by the other; RTS 25 "
            "asks for a time that can be traced to UTC.",
            hint="Run chrony or ntpd on both machines, and look which of them is wrong.",
        )
    return ok("server and client agree about the time to the second")


def _run(ground: Ground) -> Finding:
    before = utc_now()
    server = ground.value("server_time")
    found = judge(before, server, utc_now())
    session_zone, log_zone = ground.ask("time_zones")[0]
    others = sorted({zone for zone in (session_zone, log_zone) if zone not in _UTC})
    if others and found == ok(found.what):
        return warning(
            f"sessions or the log are in {', '.join(others)}",
            why="The house's own sessions set UTC; people in psql read other times than it writes.",
            hint="Use ALTER DATABASE ... SET timezone = 'UTC', and log_timezone = 'UTC'.",
        )
    return found


CHECK = Check(name="clocks", title="The clocks agree", run=_run, of_server=True)
