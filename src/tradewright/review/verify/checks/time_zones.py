"""No column holds a time of day or an instant without its zone; `time with time zone` is none."""

from tradewright.review.verify.ask import ask
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    columns = ask(ground.shadow, "time_columns")
    if not columns:
        return Outcome.not_applicable("no column holds a time")
    problems = [
        f"{table}.{column} is {kind}"
        for table, column, kind in columns
        if kind != "timestamp with time zone"
    ]
    figures = f"{len(columns) - len(problems)} of {len(columns)} columns are timestamptz"
    return Outcome.of(figures, problems, {"columns": len(columns)})


CHECK = Check(number=6, id="time-zones", title="All timestamps have a zone", run=_run)
