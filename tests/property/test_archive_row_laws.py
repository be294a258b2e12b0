"""Whatever an audit row holds, Python hashes it as the server does, and a file gives it back."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradewright.operations.archive import files
from tradewright.operations.archive.rows import AuditRow, Tally, row_hash, row_text
from tradewright.postgres.connect import Session

TEXTS = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | TEXTS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)
LONGS = st.integers(0, 2**63 - 1)
ROWS = st.builds(
    AuditRow,
    id=st.uuids(),
    seq=LONGS,
    txid=LONGS,
    created_at=st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    actor=TEXTS,
    database_role=TEXTS,
    table_name=TEXTS,
    row_id=st.uuids(),
    action=st.sampled_from(["insert", "update", "delete"]),
    changes=JSON.map(json.dumps),
    reason=st.none() | TEXTS,
)
QUERY = (
    "SELECT a.changes::text, to_jsonb(a)::text, audit_row_hash(to_jsonb(a)) FROM (SELECT %s::uuid"
    " AS id, %s::bigint AS seq, %s::bigint AS txid, %s::timestamptz AS created_at, %s AS actor,"
    " %s AS database_role, %s AS table_name, %s::uuid AS row_id, %s AS action, %s::jsonb AS"
    " changes, %s::text AS reason) AS a"
)


@given(row=ROWS)
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_row_is_hashed_from_a_file_as_the_server_hashes_it(
    engine: Session, row: AuditRow
) -> None:
    found = engine.execute(QUERY.encode(), row).fetchone()
    assert found is not None
    changes, text, digest = found
    stored = row._replace(changes=changes)
    assert row_text(stored) == text
    assert row_hash(stored) == digest


@given(rows=st.lists(ROWS, max_size=4))
@settings(max_examples=40, deadline=None)
def test_a_file_gives_back_exactly_what_was_written(rows: list[AuditRow]) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder) / "rows.parquet"
        files.write_rows(place, date(2023, 4, 1), rows)
        assert list(files.read_rows(place)) == rows


@given(rows=st.lists(ROWS, max_size=6), data=st.data())
def test_the_digest_of_a_month_does_not_depend_on_the_order_of_its_rows(
    rows: list[AuditRow], data: st.DataObject
) -> None:
    def digest(of: list[AuditRow]) -> bytes:
        tally = Tally()
        for row in of:
            tally.add(row, row_hash(row))
        return tally.digest()

    assert digest(data.draw(st.permutations(rows))) == digest(rows)
    if rows:
        other = [rows[0]._replace(id=UUID(int=rows[0].id.int ^ 1)), *rows[1:]]
        assert digest(other) != digest(rows)
