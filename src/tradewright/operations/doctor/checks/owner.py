"""Everything in the schema has one owner, and nobody logs in as that."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok, warning


def _run(ground: Ground) -> Finding:
    rows = ground.ask("owners")
    if len(rows) > 1:
        others = [f"{name} owns {example}" for name, _, _, example in rows[1:]]
        return warning(
            f"the schema has {len(rows)} owners: {named(others)}",
            why="An owner may switch guards off; what runs as its owner needs that one's rights.",
            hint=f"Use ALTER ... OWNER TO {rows[0][0]}.",
        )
    name, can_log_in, is_superuser, _ = rows[0]
    if can_log_in:
        kind = "a superuser" if is_superuser else "a role"
        return warning(
            f"the owner, {name}, is {kind} that may log in",
            why="Whoever connects as the owner may switch guards off and rewrite the record.",
            hint="Give the schema to a role with NOLOGIN, and let migrations SET ROLE to it.",
        )
    return ok(f"everything belongs to {name}, which nobody logs in as")


CHECK = Check(name="owner", title="One owner, whom nobody logs in as", run=_run)
