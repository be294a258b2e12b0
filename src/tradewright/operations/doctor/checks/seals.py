"""The record is sealed soon after it was written."""

from datetime import timedelta

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning

AGE_MAX = timedelta(hours=1)


def _run(ground: Ground) -> Finding:
    rows = ground.ask("oldest_unsealed")
    late = [
        f"the {name} since {since:%Y-%m-%d %H:%M} UTC"
        for name, since, age in rows
        if age is not None and age > AGE_MAX
    ]
    if late:
        return warning(
            f"not sealed: {named(late)}",
            why="What is not sealed could be rewritten without a trace.",
            hint="Run tradewright jobs run-due; see why the jobs that seal did not.",
        )
    return ok("nothing has waited for its seal for more than an hour")


CHECK = Check(name="seals", title="The record is sealed", run=_run)
