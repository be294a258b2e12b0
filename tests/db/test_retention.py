"""Records that are kept for a time: pruned after it by the job, and by nobody before."""

import psycopg
import pytest

from tests.cast import value
from tests.floor import Floor
from tradewright import operations
from tradewright.core.ids import new_id_text
from tradewright.operations import Means, Outcome
from tradewright.postgres.connect import Session, connect


def measure(session: Session, *ages: float) -> None:
    """Write what was measured of a client so many years ago, the oldest first."""
    user_id = new_id_text()
    session.execute("INSERT INTO users (id, email) VALUES (%s, 'm@example.org')", (user_id,))
    session.execute("INSERT INTO client_profiles (user_id) VALUES (%s)", (user_id,))
    session.execute("SET session_replication_role = replica")
    session.execute(
        "INSERT INTO client_measures (user_id, kind, number, order_id, measured_at, booked_at)"
        " SELECT %s, 'arrival', n, uuidv7(), at, at"
        " FROM unnest(%s::numeric[]) WITH ORDINALITY AS t (years, n),"
        " LATERAL (SELECT now() - years * interval '1 year') AS u (at)",
        (user_id, [float(age) for age in ages]),
    )
    session.execute("RESET session_replication_role")


@pytest.fixture
def messages(floor: Floor) -> Session:
    """Give messages of two sessions: two out and two in, of which the first of each are old."""
    session = floor.session
    for comp_id, years in (("NEW", 6), ("OLD", 8)):
        session_id = new_id_text()
        session.execute(
            "INSERT INTO fix_sessions (id, provider_id, sender_comp_id, target_comp_id)"
            " SELECT %s, id, %s, 'LP' FROM liquidity_providers LIMIT 1",
            (session_id, comp_id),
        )
        session.execute(
            "INSERT INTO fix_messages (session_id, direction, seq, next_seq, message_type, raw,"
            " kept_at) SELECT %s, d, n, n + 1, '0', %s, now() - make_interval(years => %s)"
            " FROM unnest(ARRAY['in', 'out']) AS d, generate_series(1, 3) AS n",
            (session_id, comp_id, years),
        )
    return session


def prune(session: Session) -> int:
    (count,) = session.execute("SELECT prune_records()").fetchone() or (None,)
    assert isinstance(count, int)
    return count


def test_old_messages_go_but_the_last_of_each_direction(messages: Session) -> None:
    assert prune(messages) == 4
    assert prune(messages) == 0
    left = messages.execute(
        "SELECT raw, direction, array_agg(seq ORDER BY seq) FROM fix_messages GROUP BY 1, 2"
        " ORDER BY 1, 2"
    ).fetchall()
    assert left == [
        ("NEW", "in", [1, 2, 3]),
        ("NEW", "out", [1, 2, 3]),
        ("OLD", "in", [3]),
        ("OLD", "out", [3]),
    ]


def record_refreshes(session: Session, *ages: tuple[int, str | None]) -> None:
    """Write refreshes of a view of so many days ago, good or with their error."""
    for days, error in ages:
        session.execute(
            "INSERT INTO view_refreshes (view_name, started_at, as_of, finished_at, row_count,"
            " error_state, error) SELECT 'house_result', at, CASE WHEN e IS NULL THEN at END, at,"
            " CASE WHEN e IS NULL THEN 7 END, e, e"
            " FROM (SELECT now() - make_interval(days => %s), %s::text) AS t (at, e)",
            (days, error),
        )


def refreshes(session: Session) -> list[int]:
    days = "SELECT extract(day FROM now() - finished_at)::integer FROM view_refreshes ORDER BY 1"
    return [row[0] for row in session.execute(days)]


def test_old_refreshes_go_but_the_last_good_one_of_each_view(
    engine: Session, engine_database: str
) -> None:
    """It says as of when the view is; what failed since then says why it is so old."""
    record_refreshes(engine, (200, None), (150, "57014"), (120, None), (110, "57014"))
    assert value(engine, "SELECT prune_view_refreshes(1)") == 1
    assert value(engine, "SELECT prune_view_refreshes()") == 1
    assert refreshes(engine) == [110, 120]
    record_refreshes(engine, (91, None), (89, None), (1, "57014"))
    engine.execute("UPDATE jobs SET next_due_at = now() + interval '1 day'")
    engine.execute("UPDATE jobs SET next_due_at = now() WHERE name = 'prune_view_refreshes'")
    (report,) = operations.run_due(Means(source=lambda: connect(engine_database, autocommit=True)))
    assert (report.outcome, report.done_count) == (Outcome.SUCCEEDED, 3)
    assert refreshes(engine) == [1, 89]


@pytest.mark.parametrize(
    "table", ["client_measures", "fix_messages", "job_runs", "law_checks", "view_refreshes"]
)
def test_the_owner_deletes_nothing_before_its_time(messages: Session, table: str) -> None:
    messages.execute(
        "INSERT INTO job_runs (job_name, started_at, finished_at, outcome, done_count)"
        " SELECT 'expire_holds', at, at, 'succeeded', 0 FROM unnest(ARRAY[1, 80]) AS n,"
        " LATERAL (SELECT now() - make_interval(days => n)) AS t (at)"
    )
    record_refreshes(messages, (80, None), (1, "57014"))
    messages.execute(
        "INSERT INTO law_checks (began_at, actor, law_count, broken_count, results)"
        " VALUES (now(), 'anna', 1, 0, '{}')"
    )
    measure(messages, 4.9)
    for pruned in ("", table):
        messages.execute("SELECT set_config('app.pruned_table', %s, false)", (pruned,))
        with pytest.raises(psycopg.Error) as caught:
            messages.execute(f"DELETE FROM {table}".encode())
        assert caught.value.sqlstate == "TW010"


def test_what_is_said_to_be_pruned_lets_no_other_table_go(messages: Session) -> None:
    messages.execute("SELECT set_config('app.pruned_table', 'fix_sessions', false)")
    with pytest.raises(psycopg.Error) as caught:
        messages.execute("DELETE FROM fix_sessions")
    assert caught.value.sqlstate == "TW010"


def test_old_runs_go_but_the_last_of_each_job(engine: Session, engine_database: str) -> None:
    engine.execute(
        "INSERT INTO job_runs (job_name, started_at, finished_at, outcome, done_count)"
        " SELECT j, now() - make_interval(days => n), now() - make_interval(days => n),"
        " 'succeeded', 0 FROM unnest(ARRAY['expire_holds', 'seal_ledger']) AS j,"
        " unnest(ARRAY[80, 91, 92]) AS n WHERE j = 'expire_holds' OR n > 90"
    )
    engine.execute("UPDATE jobs SET next_due_at = now() + interval '1 day'")
    engine.execute("UPDATE jobs SET next_due_at = now() WHERE name = 'prune_records'")
    means = Means(source=lambda: connect(engine_database, autocommit=True))
    (report,) = operations.run_due(means)
    assert (report.outcome, report.done_count) == (Outcome.SUCCEEDED, 3)
    left = "SELECT count(*) FROM job_runs WHERE job_name = %s"
    assert [value(engine, left, name) for name in ("expire_holds", "seal_ledger")] == [1, 1]


def test_checks_of_the_laws_go_after_five_years(engine: Session) -> None:
    engine.execute(
        "INSERT INTO law_checks (id, began_at, finished_at, actor, law_count, broken_count,"
        " results) SELECT uuidv7(at - now()), at, at, 'anna', 1, 0, '{}'"
        " FROM unnest(ARRAY[4.9, 5.1, 6]) AS n,"
        " LATERAL (SELECT now() - n * interval '1 year') AS t (at)"
    )
    assert prune(engine) == 2
    assert value(engine, "SELECT count(*) FROM law_checks") == 1


def test_what_was_measured_of_clients_goes_after_five_years(engine: Session) -> None:
    measure(engine, 6, 5.1, 4.9, 1)
    assert value(engine, "SELECT prune_records(1)") == 1
    assert prune(engine) == 1
    left = "SELECT array_agg(number ORDER BY number) FROM client_measures"
    assert value(engine, left) == [3, 4]
