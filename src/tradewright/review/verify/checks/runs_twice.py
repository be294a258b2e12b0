"""Every file is run a second time: either it changes nothing, or it is refused as a whole.

A file in a transaction that is refused leaves no trace, and a runner with a history never sends it
twice. Outside a transaction a refusal would leave half a file behind, so there it must succeed.
"""

from tradewright.review.prove.model import SecondRun
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    tried = [file for file in ground.prover.files if file.second_run is not None]
    if not tried:
        return Outcome.not_applicable("no file could be applied once")
    problems, refused = [], 0
    for fact in ground.told(SecondRun):
        if not isinstance(fact, SecondRun):
            continue
        if fact.is_refused_whole:
            refused += 1 + fact.others
        elif fact.word is not None:
            problems.append(f"{fact.statement.source.label} breaks off half-way: {fact.word}")
        else:
            told = "; ".join(fact.differences)
            problems.append(f"{fact.statement.source.label} changes the schema again: {told}")
    same = sum(bool(file.second_run) for file in tried)
    figures = f"of {len(tried)} files {same} run again with the same catalog, "
    figures += f"{refused} are refused whole"
    facts = {"tried": len(tried), "same": same, "refused_whole": refused}
    return Outcome.of(figures, problems, facts)


CHECK = Check(number=2, id="runs-twice", title="Run twice, same result", run=_run)
