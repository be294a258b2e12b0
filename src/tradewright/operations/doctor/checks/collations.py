"""Texts sort as they did when their indexes were built."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    rows = ground.ask("collations")
    if rows:
        told = [f"{name} was {kept or 'none'}, is {now or 'none'}" for name, kept, now in rows]
        return failure(
            f"sorted by other rules: {named(told)}",
            why="The system's library was exchanged: an index of texts may not find a row that is "
            "there, and a unique one may take it twice.",
            hint="REINDEX DATABASE, then ALTER DATABASE ... REFRESH COLLATION VERSION (and ALTER "
            "COLLATION for the others).",
        )
    return ok("texts sort as when their indexes were built")


CHECK = Check(name="collations", title="Texts sort as before", run=_run, of_server=True)
