"""Every index is valid and ready, and every enforced foreign key is led by one."""

from tradewright.review.verify.ask import ask
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome


def _run(ground: Ground) -> Outcome:
    indexes = ask(ground.shadow, "indexes")
    keys = ask(ground.shadow, "keys_and_their_index")
    if not indexes:
        return Outcome.not_applicable("the schema has no index")
    problems = [f"index {name} is not valid" for name, is_valid in indexes if not is_valid]
    problems += [f"foreign key {name} has no index" for name, has_index in keys if not has_index]
    valid = sum(bool(is_valid) for _, is_valid in indexes)
    served = sum(bool(has_index) for _, has_index in keys)
    figures = f"{valid} of {len(indexes)} indexes are valid, "
    figures += f"{served} of {len(keys)} foreign keys have one"
    return Outcome.of(figures, problems, {"indexes": len(indexes), "foreign_keys": len(keys)})


CHECK = Check(number=7, id="indexes", title="All indexes are valid, keys have one", run=_run)
