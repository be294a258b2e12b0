"""Read the figures of a house in one snapshot, and compare those of a restore with them.

Beside writers a copy of files is restored to the end of the backup, which is later than any
snapshot that was taken before. So what is compared is what no writer can change any more: rows of
append-only tables that were written by transactions below the snapshot's horizon are the same for
ever, and a restore must show exactly those; what refuses deletions must not have fewer rows.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from psycopg import sql

from tradewright.audit import check_laws
from tradewright.operations.backup.model import (
    Figures,
    Keeping,
    MoneyFigures,
    SealFigures,
    TableFigures,
)
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

_XIDS = 1 << 32


def read_figures(
    session: Session, *, whole: bool, laws: bool, horizon: int | None = None
) -> Figures:
    """Return the figures of the caller's transaction, which must be REPEATABLE READ.

    With `whole` all rows of all tables are digested; otherwise those below `horizon`, the
    snapshot's own unless another is given.
    """
    session.execute(query("pin_text"))
    read_at, own_horizon = _row(session, "snapshot")
    asked = own_horizon if horizon is None else horizon
    return Figures(
        read_at=read_at,
        horizon=asked,
        tables=dict(_tables(session, None if whole else asked)),
        money={
            code: MoneyFigures(clients=clients, transfers=count, moved=moved)
            for code, clients, count, moved in session.execute(query("money"))
        },
        audit_seal=read_seal(session, "audit_seal"),
        ledger_seal=read_seal(session, "ledger_seal"),
        record_seal=read_seal(session, "record_seal"),
        laws={name: law.broken for name, law in check_laws(session).items()} if laws else {},
        migrations=dict(session.execute(query("migrations")).fetchall()),
        objects=dict(session.execute(query("objects")).fetchall()),
    )


def read_seal(session: Session, name: str, seq: int | None = None) -> SealFigures | None:
    """Return a seal of a record, the last one where no number is given."""
    row = session.execute(query(name), {"seq": seq}).fetchone()
    return None if row is None else SealFigures(seq=row[0], head=row[1])


def differences(expected: Figures, found: Figures, *, exact: bool) -> list[str]:
    """Return how the figures of a restore differ from what they must be."""
    told = [*_table_differences(expected, found, exact=exact)]
    told += _money_differences(expected, found, exact=exact)
    told += _object_differences(expected.objects, found.objects, exact=exact)
    if expected.migrations != found.migrations:
        told.append("the migrations that are applied are others")
    return told


def _object_differences(
    expected: Mapping[str, str], found: Mapping[str, str], *, exact: bool
) -> Iterator[str]:
    """Tell what the schema lacks; beside a copy months of the audit log may come and go."""
    compared = [name for name in expected if exact or not name.startswith("month ")]
    yield from (f"{name} is gone" for name in compared if name not in found)
    yield from (
        f"{name} is another" for name in compared if found.get(name, "") not in ("", expected[name])
    )


def query(name: str) -> str:
    """Return a query of this room."""
    return load_queries("tradewright.operations.backup")[name]


def _row(session: Session, name: str) -> tuple[Any, ...]:
    row = session.execute(query(name)).fetchone()
    if row is None:
        raise LookupError(name)
    return row


def _tables(session: Session, horizon: int | None) -> Iterator[tuple[str, TableFigures]]:
    for name, keeping in session.execute(query("tables")).fetchall():
        wanted = "settled_rows" if keeping == Keeping.APPEND_ONLY else "count_rows"
        text = query("all_rows" if horizon is None else wanted)
        names = {
            "table": sql.Identifier(name),
            "horizon": sql.Literal(str((horizon or 0) % _XIDS)),
        }
        row = session.execute(sql.SQL(text).format(**names)).fetchone() or (0, 0, "")
        yield (
            name,
            TableFigures(keeping=Keeping(keeping), rows=row[0], settled_rows=row[1], digest=row[2]),
        )


def _table_differences(expected: Figures, found: Figures, *, exact: bool) -> Iterator[str]:
    for name, before in expected.tables.items():
        after = found.tables.get(name)
        if after is None:
            yield f"table {name} is gone"
        elif before.digest and (before.settled_rows, before.digest) != (
            after.settled_rows,
            after.digest,
        ):
            yield (
                f"table {name} has {after.settled_rows} rows that were settled, and had "
                f"{before.settled_rows}"
                if after.settled_rows != before.settled_rows
                else f"rows of table {name} say something else"
            )
        elif after.rows < before.rows and before.keeping is not Keeping.FREE:
            yield f"table {name} has {after.rows} rows, and had {before.rows}"
    if exact:
        yield from (f"table {name} is new" for name in found.tables.keys() - expected.tables.keys())


def _money_differences(expected: Figures, found: Figures, *, exact: bool) -> Iterator[str]:
    for currency, before in expected.money.items():
        after = found.money.get(currency)
        if after is None:
            yield f"nobody holds {currency} any more"
        elif exact and after != before:
            yield f"clients hold {after.clients} {currency}, and held {before.clients}"
        elif after.transfers < before.transfers:
            yield f"{after.transfers} transfers in {currency}, and there were {before.transfers}"
