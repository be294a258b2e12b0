"""Each down restores the catalog and the rows before its up; all of them leave nothing behind."""

from tradewright.review.prove.model import DownDiffers, DownRefused
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    downs = [file for file in ground.prover.files if file.down is not None]
    commented = [f.message for f in ground.read("down-in-comment")]
    if commented:
        return Outcome.of("no down can be run", commented, {"downs": 0})
    if not downs:
        return Outcome.not_applicable("no down could be tried: the folder has none")
    all_down = ground.prover.all_down
    trials = [trial for trial in ground.row_trials if not trial.untried]
    rows = sum(trial.rows for trial in trials)
    restored = sum(bool(file.down) for file in downs)
    figures = f"{restored} of {len(downs)} downs restore the catalog"
    figures += f"; {rows} rows with odd cents came through" if rows else ""
    facts = {
        "downs": len(downs),
        "all_down": all_down,
        "rows": rows,
        "tables_with_rows": max((trial.tables for trial in trials), default=0),
        "rows_untried": {t.label: t.untried for t in ground.row_trials if t.untried},
    }
    return Outcome.of(figures, _problems(ground, all_down, len(downs)), facts)


def _problems(ground: Ground, all_down: bool | None, downs: int) -> list[str]:
    problems = [_told(fact) for fact in ground.told(DownRefused, DownDiffers)]
    problems += [f"{trial.label}: {each}" for trial in ground.row_trials for each in trial.changed]
    if all_down is False:
        problems.append("all downs, last file first, leave something behind")
    missing = sum(file.is_judged for file in ground.prover.files) - downs
    if missing:
        problems.append(f"{missing} files have no down, or could not be applied")
    return problems


def _told(fact: object) -> str:
    if isinstance(fact, DownRefused):
        return f"{fact.statement.source.label} down: {fact.word}"
    if isinstance(fact, DownDiffers):
        return f"{fact.statement.source.label}: {'; '.join(fact.differences)}"
    return str(fact)


CHECK = Check(
    number=3,
    id="rolls-back",
    title="Each down restores schema and rows",
    run=_run,
    is_last=True,
)
