"""A row that refers to nothing is tried through every foreign key; all of them must be refused.

A column that holds another table's id and declares no key lets every orphan in.
"""

from collections import Counter

from tradewright.review.prove.model import OrphanVerdict
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    trials = ground.prover.keys
    undeclared = ground.read("id-column-without-foreign-key")
    if not trials and not undeclared:
        return Outcome.not_applicable("the schema has no foreign key")
    counts = Counter(trial.verdict for trial in trials)
    problems = [
        f"{trial.key} let the orphan in{f': {trial.why}' if trial.why else ''}"
        for trial in trials
        if trial.verdict is OrphanVerdict.ACCEPTED
    ]
    problems += [f"{each.subject} has no foreign key at all" for each in undeclared]
    guarded, refused = counts[OrphanVerdict.GUARDED], counts[OrphanVerdict.REFUSED]
    figures = f"{len(trials)} keys: {refused} refuse the orphan"
    figures += f", {guarded} by a trigger" if guarded else ""
    untried = {str(t.key): t.why for t in trials if t.verdict is OrphanVerdict.UNTRIED}
    figures += f", {len(untried)} could not be tried" if untried else ""
    facts: dict[str, object] = {str(verdict): counts[verdict] for verdict in OrphanVerdict}
    facts["why_untried"] = untried
    return Outcome.of(figures, problems, facts)


CHECK = Check(number=4, id="orphans", title="Orphans are refused by every foreign key", run=_run)
