"""What was committed and acknowledged survives a power cut."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok


def _run(ground: Ground) -> Finding:
    off = [name for name in ("fsync", "full_page_writes") if ground.setting(name) != "on"]
    off += [
        " ".join(filter(None, ("synchronous_commit", role and f"of {role}", place)))
        for role, place, value in ground.ask("synchronous_commit")
        if value == "off"
    ]
    if off:
        return failure(
            f"off: {named(off)}",
            why="After a power cut orders that were acknowledged would be gone, or pages be torn.",
            hint="Set them on with ALTER SYSTEM, ALTER DATABASE or ALTER ROLE, and reload.",
        )
    return ok("fsync and full_page_writes are on, and commits wait for the disk")


CHECK = Check(name="durability", title="Commits survive a power cut", run=_run, of_server=True)
