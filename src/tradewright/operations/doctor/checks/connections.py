"""There is room for more sessions."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok, warning


def judge(used: int, most: int) -> Finding:
    """Judge how many sessions there are of those that the server takes."""
    told = f"{used} of {most} connections are used"
    if used > 0.95 * most:
        return failure(
            told,
            why="The next engine, job or person cannot connect.",
            hint="End idle sessions, put a pooler before the server, or raise max_connections.",
        )
    if used > 0.8 * most:
        return warning(
            told,
            why="Little room is left for an engine that takes over, or for people.",
            hint="Find out who holds so many, or raise max_connections.",
        )
    return ok(told)


def _run(ground: Ground) -> Finding:
    used, most = ground.ask("connections")[0]
    return judge(used, most)


CHECK = Check(name="connections", title="There is room to connect", run=_run, of_server=True)
