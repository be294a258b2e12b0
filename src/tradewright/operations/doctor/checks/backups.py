"""There is a backup that is young enough, and a drill has shown that it can be restored."""

from datetime import datetime, timedelta

from tradewright.operations.doctor.model import (
    Check,
    Finding,
    Ground,
    failure,
    named,
    ok,
    warning,
)

_ACTS = {"backup": "tradewright backup run", "drill": "tradewright backup drill"}


def _run(ground: Ground) -> Finding:
    rows = ground.ask("last_backups")
    broken = [told for kind, *facts in rows if (told := _late(kind, *facts, declared=True))]
    if broken:
        return failure(
            named(broken),
            why="The house has declared how old its last backup and drill may be.",
            hint=" and ".join(_ACTS[told.split()[1]] for told in broken).capitalize() + ".",
        )
    missing = [told for kind, *facts in rows if (told := _late(kind, *facts, declared=False))]
    if missing:
        return warning(
            named(missing),
            why="A backup that was never restored is none.",
            hint="Run tradewright backup run, then tradewright backup drill; declare how old "
            "they may be with tradewright backup require.",
        )
    return ok("; ".join(f"last {kind} {last:%Y-%m-%d %H:%M} UTC" for kind, last, *_ in rows))


def _late(  # noqa: PLR0913 (the columns of one row)
    kind: str,
    last: datetime | None,
    now: datetime,
    within: timedelta | None,
    error: str | None,
    *,
    declared: bool,
) -> str:
    """Tell what is wrong with the last of a kind, by what is declared or by there being one."""
    if declared and (within is None or (last is not None and now - last <= within)):
        return ""
    if not declared and last is not None and error is None:
        return ""
    if last is None:
        return f"no {kind} was ever good"
    if not declared:
        return f"the {kind} that was tried last has failed"
    return f"no {kind} since {last:%Y-%m-%d %H:%M} UTC, for more than {within}"


CHECK = Check(name="backups", title="Backups are there and were tried", run=_run)
