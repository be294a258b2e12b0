"""The server is a released PostgreSQL 18 or newer."""

import re

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok, warning


def judge(number: int, words: str) -> Finding:
    """Judge a version by its number and by the words that the server has for it."""
    if number < 180000:
        return failure(
            f"the server is PostgreSQL {words}",
            why="The schema uses uuidv7() and virtual columns, which came with PostgreSQL 18.",
            hint="Upgrade the server to PostgreSQL 18 or later.",
        )
    if re.search("devel|beta|rc", words):
        return warning(
            f"the server is PostgreSQL {words}",
            why="It is not a release: its files may not be readable by the release.",
            hint="Run a house on a released version.",
        )
    return ok(f"PostgreSQL {words}")


def _run(ground: Ground) -> Finding:
    number, words = ground.ask("server_version")[0]
    return judge(number, words)


CHECK = Check(name="server_version", title="PostgreSQL is new enough", run=_run, of_server=True)
