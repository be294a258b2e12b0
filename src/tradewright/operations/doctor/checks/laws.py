"""All laws hold, those of the seals among them."""

from tradewright.audit import check_laws
from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    results = check_laws(ground.session)
    broken = [f"{name} ({result.broken})" for name, result in results.items() if result.broken]
    if broken:
        return failure(
            f"broken: {named(broken)}",
            why="Rows of the database contradict each other; figures made from them are wrong.",
            hint="Stop trading, keep the database as it is, and see tradewright audit laws.",
        )
    return ok(f"all {len(results)} laws hold")


CHECK = Check(name="laws", title="The laws hold", run=_run, reads_all=True)
