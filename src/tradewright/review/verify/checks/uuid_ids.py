"""Ids are uuid, where the project declares so: by giving most of its `id` keys that type."""

from tradewright.review.verify.ask import ask
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    ids = ask(ground.shadow, "id_columns")
    keys = [row for row in ids if row[3]]
    declaring = [row for row in keys if row[2] == "uuid"]
    if not keys:
        return Outcome.not_applicable("no table has a key called id")
    if len(declaring) * 2 < len(keys):
        return Outcome.not_applicable(
            f"{len(declaring)} of {len(keys)} keys are uuid: the project does not declare it"
        )
    problems = [f"{table}.{column} is {kind}" for table, column, kind, _ in ids if kind != "uuid"]
    figures = f"{len(ids) - len(problems)} of {len(ids)} id columns are uuid"
    return Outcome.of(figures, problems, {"columns": len(ids), "keys": len(keys)})


CHECK = Check(number=5, id="uuid-ids", title="All ids are uuid", run=_run)
