"""The house works as plain roles: no superuser has its sessions."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning


def _run(ground: Ground) -> Finding:
    names = [row[0] for row in ground.ask("superusers_at_work")]
    if names:
        return warning(
            f"superusers at work for the house: {named(names)}",
            why="No grant holds for a superuser: one wrong statement may switch every guard off.",
            hint="Make a role that logs in and is a member of tradewright_app or _operator.",
        )
    return ok("no superuser works for the house")


CHECK = Check(name="superusers", title="No superuser works for the house", run=_run)
