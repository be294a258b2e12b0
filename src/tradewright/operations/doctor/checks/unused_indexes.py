"""Which larger indexes no query has used: a note, since a quiet month proves little."""

from tradewright.operations.doctor.model import Check, Finding, Ground, named, ok

_BYTES_MIN = 1_000_000


def _run(ground: Ground) -> Finding:
    rows = ground.ask("unused_indexes", {"bytes_min": _BYTES_MIN})
    if rows:
        since = rows[0][2]
        counted = f"since {since:%Y-%m-%d}" if since else "since the server was made"
        names = [f"{name} ({size / 1e6:.0f} MB)" for name, size, _ in rows]
        return ok(f"note: never used {counted}: {named(names)}")
    return ok("each index of a megabyte or more was used")


CHECK = Check(name="unused_indexes", title="Indexes are used", run=_run)
