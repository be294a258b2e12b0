"""The schema is there, and whoever asks may look into it: else all answers are about nothing."""

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, ok


def _run(ground: Ground) -> Finding:
    if not ground.value("house_is_there"):
        return failure(
            "the house's schema is not there for this role",
            why="It was never migrated, has another name, or the role lacks USAGE; what no check "
            "can see, none vouches for.",
            hint="Name it with --schema, apply tradewright migrate up, or GRANT tradewright_reader "
            "to the role.",
        )
    return ok("the house's schema is there, and this role looks into it")


CHECK = Check(name="schema_there", title="The house can be seen", run=_run, of_server=True)
