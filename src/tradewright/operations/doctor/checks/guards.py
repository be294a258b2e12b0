"""Every trigger that the migrations make is there and switched on, on each partition too."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok

_MADE = re.compile(r"\bCREATE (?:CONSTRAINT )?TRIGGER (\w+)\s[^;]*?\bON (\w+)\b")
_ALWAYS = re.compile(r"\bALTER TABLE (\w+) ENABLE ALWAYS TRIGGER (\w+);")


@cache
def expected_triggers() -> dict[tuple[str, str], str]:
    """Return (table, trigger) → how it is switched, as the migrations' own text says."""
    text = "\n".join(_scripts())
    made = {(table, name): "O" for name, table in _MADE.findall(text)}
    return made | dict.fromkeys(_ALWAYS.findall(text), "A")


def _scripts() -> Iterator[str]:
    for file in files("tradewright").joinpath("migrations").iterdir():
        if file.name.endswith(".sql") and not file.name.endswith(".down.sql"):
            yield file.read_text(encoding="utf-8")


def _run(ground: Ground) -> Finding:
    found = {(table, name): enabled for table, name, enabled in ground.ask("triggers")}
    off = [
        f"{name} on {table}"
        for (table, name), switched in sorted(expected_triggers().items())
        if found.get((table, name)) not in {switched, "A"}
    ]
    off += [f"{table} refuses nothing" for (table,) in ground.ask("open_partitions")]
    off += [f"all of {role}" for (role,) in ground.ask("replication_role")]
    if off:
        return failure(
            f"guards are missing or off: {named(off)}",
            why="Rows can be written past the record; the laws find it only afterwards.",
            hint="Use ALTER TABLE ... ENABLE TRIGGER ... (ENABLE ALWAYS for those that audit), "
            "then tradewright audit laws, and find out who switched it.",
        )
    return ok(f"all {len(expected_triggers())} triggers of the migrations are on")


CHECK = Check(name="guards", title="Guards are on", run=_run)
