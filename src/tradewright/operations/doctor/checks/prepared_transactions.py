"""No transaction was prepared and then forgotten."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning

SECONDS_MAX = 300


def _run(ground: Ground) -> Finding:
    rows = ground.ask("prepared_transactions", {"seconds_max": SECONDS_MAX})
    if rows:
        told = [f"{gid} of {owner} for {seconds} s" for gid, owner, seconds in rows]
        return warning(
            f"prepared and left: {named(told)}",
            why="They hold their locks and hold vacuum back, with no session that could be ended, "
            "and after a restart too. Nothing of the house prepares any.",
            hint="Ask whoever coordinates them, then COMMIT PREPARED or ROLLBACK PREPARED.",
        )
    return ok("no transaction is prepared and left")


CHECK = Check(
    name="prepared_transactions", title="Nothing is prepared and left", run=_run, of_server=True
)
