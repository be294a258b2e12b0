"""Whatever an audit row holds, Python hashes it as the server does, and a file gives it back."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradewright.operations.archive import files
from tradewright.operations.archive.rows import AuditRow, Changes, Tally, row_hash, row_text
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


def tally_of(rows: list[AuditRow]) -> Tally:
    tally = Tally()
    for row in rows:
        tally.add(row, row_hash(row))
    return tally


@given(rows=st.lists(ROWS, min_size=1, max_size=6), data=st.data())
def test_a_row_that_is_another_is_found_in_its_block(
    rows: list[AuditRow], data: st.DataObject
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tradewright.operations.archive.rows.BLOCK_ROWS", 2)
        at = data.draw(st.integers(0, len(rows) - 1))
        other = [*rows]
        other[at] = rows[at]._replace(id=UUID(int=rows[at].id.int ^ 1))
        assert tally_of(rows).first_difference(tally_of(rows)) is None
        assert tally_of(rows).digest() == tally_of(list(rows)).digest()
        assert tally_of(other).digest() != tally_of(rows).digest()
        assert tally_of(rows[:-1]).digest() != tally_of(rows).digest()
        first, last = tally_of(rows).first_difference(tally_of(other)) or (0, 0)
        assert first <= at + 1 <= last <= len(rows)
        assert last - first < 2


@given(rows=st.lists(ROWS, max_size=6), data=st.data())
def test_changes_are_counted_in_any_order_and_any_other_count_is_seen(
    rows: list[AuditRow], data: st.DataObject
) -> None:
    def changes(of: list[AuditRow]) -> Changes:
        found = Changes()
        for row in of:
            is_deleted = row.action == "delete"
            found.add(row.table_name, str(row.row_id), count=1, is_deleted=is_deleted)
        return found

    assert changes(data.draw(st.permutations(rows))) == changes(rows)
    if rows:
        assert changes(rows[1:]) != changes(rows)
        moved = rows[0]._replace(row_id=UUID(int=rows[0].row_id.int ^ 1))
        assert changes([moved, *rows[1:]]) != changes(rows)
