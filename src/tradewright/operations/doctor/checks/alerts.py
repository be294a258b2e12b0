"""Somebody has seen what people must know at once."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning


def _run(ground: Ground) -> Finding:
    rows = ground.ask("critical_alerts")
    if rows:
        waiting = [f"{what} since {since:%Y-%m-%d %H:%M} UTC" for what, since in rows]
        return warning(
            f"{len(rows)} critical alerts wait: {named(waiting)}",
            why="Each is about money or trading, and nobody has said that it was seen.",
            hint="See tradewright risk alerts, look after it, and acknowledge it.",
        )
    return ok("no critical alert waits")


CHECK = Check(name="alerts", title="Alerts are seen", run=_run)
