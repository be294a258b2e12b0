"""The due-job runner: each job once when it is due, recorded, and tried again when it fails."""

import json
import signal
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import open_user, open_wallet, play, value
from tests.conftest import OpenSession
from tests.db.sessions import at_once
from tests.news import settled_user, start
from tradewright import audit, ledger, migrate, operations, payments
from tradewright.cli.main import cli
from tradewright.core.clock import pause, utc_now
from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id_text
from tradewright.ledger import sealing
from tradewright.operations import Job, Means, Outcome, RunReport, store
from tradewright.operations.jobs import JOBS
from tradewright.operations.model import Schedule
from tradewright.operations.rules import due_after_failure, due_after_success
from tradewright.payments import Payment, PaymentKind, PaymentStatus, Provider
from tradewright.payments.providers.cards import CardSimulator
from tradewright.payments.providers.sender import Manners, WebhookSender
from tradewright.payments.webhooks.post import Endpoint
from tradewright.payments.webhooks.receiver import webhook_server
from tradewright.payments.webhooks.signature import new_secret
from tradewright.postgres.connect import DEFAULT_SCHEMA, Session, connect
from tradewright.postgres.retry import same_connection

NOON = datetime(2026, 1, 13, 12, tzinfo=UTC)


@pytest.fixture
def means(engine_database: str) -> Means:
    return Means(source=lambda: connect(engine_database, autocommit=True))


def rename(session: Session, job: Job, *, due: bool = True) -> Job:
    """Let a job of the test stand under a schedule that is there; all others wait."""
    session.execute("UPDATE jobs SET next_due_at = clock_timestamp() + interval '1 day'")
    if due:
        session.execute("UPDATE jobs SET next_due_at = now() WHERE name = %s", (job.name,))
    return job


def failing(error: Exception) -> Job:
    def work(_: Means) -> int:
        raise error

    return Job(name="expire_holds", work=work)


def run_command(database: str, *words: str) -> Result:
    runner = CliRunner(env={"COLUMNS": "200"})
    return runner.invoke(cli, ["jobs", *words, "--database", database])


def until(session: Session, question: str) -> None:
    """Wait until the database answers yes, for ten seconds."""
    for _ in range(200):
        if value(session, question):
            return
        pause(0.05)
    pytest.fail(question)


def outcomes(reports: list[RunReport]) -> dict[str, Outcome]:
    return {report.job: report.outcome for report in reports}


def test_every_job_is_run_once_when_it_is_due_and_then_waits(engine: Session, means: Means) -> None:
    play(engine)
    reports = operations.run_due(means)
    lacking = {"deliver_events", "submit_payments"}
    assert outcomes(reports) == {
        name: Outcome.NOT_EQUIPPED if name in lacking else Outcome.SUCCEEDED for name in JOBS
    }
    assert {report.job for report in operations.run_due(means)} <= lacking
    runs = engine.execute("SELECT job_name, outcome, done_count FROM job_runs").fetchall()
    assert {row[0] for row in runs} == set(JOBS) - lacking
    assert all(row[1] == "succeeded" for row in runs)
    assert sealing.verify(engine).entries_unsealed == 0
    assert audit.verify(engine).rows_unsealed == 0
    assert value(engine, "SELECT count(*) FROM house_balances") != 0


def test_the_catalogue_and_the_schedules_name_the_same_jobs(engine: Session) -> None:
    scheduled = {row[0] for row in engine.execute("SELECT name FROM jobs")}
    assert set(JOBS) == scheduled
    assert all(name == job.name for name, job in JOBS.items())


def test_jobs_go_and_come_back_with_the_migration_that_they_work_for(
    engine: Session, engine_database: str, means: Means
) -> None:
    """What a migration takes away nobody can refresh: each run would fail, and people be told."""
    gone = {"prune_view_refreshes", "refresh_reporting_views", "watch_reporting_views"}
    operations.run_due(means)
    engine.execute("UPDATE jobs SET failure_count = 3 WHERE name = 'watch_reporting_views'")
    target = migrate.Target(conninfo=engine_database, schema=DEFAULT_SCHEMA)
    files = migrate.find_migrations(migrate.our_migrations())
    migrate.down(target, files, to=9)
    engine.execute("UPDATE jobs SET next_due_at = now()")
    done = outcomes(operations.run_due(means))
    assert set(done) == set(JOBS) - gone
    assert Outcome.FAILED not in done.values()
    told = "SELECT kind, about FROM alerts WHERE resolved_at IS NULL AND kind <> 'clock_diverged'"
    assert engine.execute(told).fetchall() == []
    migrate.up(target, files)
    assert {row[0] for row in engine.execute("SELECT name FROM jobs")} == set(JOBS)


def test_of_many_runners_at_once_one_runs_a_job(
    engine: Session, means: Means, open_session: OpenSession
) -> None:
    def work(_: Means) -> int:
        pause(0.3)
        return 1

    job = rename(engine, Job(name="expire_holds", work=work))
    results = at_once(open_session, [lambda _: operations.run_due(means, [job])] * 6)
    done = [report.outcome for reports in results for report in reports]  # type: ignore[union-attr]
    assert done.count(Outcome.SUCCEEDED) == 1
    assert set(done) <= {Outcome.SUCCEEDED, Outcome.BUSY}
    assert value(engine, "SELECT count(*) FROM job_runs") == 1


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StateError(ErrorCode.USER_NOT_ACTIVE, "no"), "USER_NOT_ACTIVE"),
        (psycopg.errors.LockNotAvailable("lock timeout"), "DATABASE_LOCK_TIMEOUT"),
        (ZeroDivisionError("by nothing"), "INTERNAL_DEFECT"),
    ],
)
def test_a_failure_is_recorded_put_off_further_each_time_and_never_given_up(
    engine: Session, means: Means, error: Exception, code: str
) -> None:
    job = failing(error)
    waits = []
    for _ in range(3):
        rename(engine, job)
        (report,) = operations.run_due(means, [job])
        assert (report.outcome, report.error_code) == (Outcome.FAILED, code)
        waits.append(
            value(
                engine,
                "SELECT extract(epoch FROM next_due_at - finished_at)::integer FROM jobs AS j"
                " JOIN job_runs AS r ON r.job_name = j.name WHERE name = 'expire_holds'"
                " ORDER BY started_at DESC LIMIT 1",
            )
        )
    assert waits == [30, 60, 120]
    rows = engine.execute("SELECT outcome, error_code FROM job_runs").fetchall()
    assert rows == [("failed", code)] * 3
    rename(engine, job)
    operations.run_due(means, [Job(name="expire_holds", work=lambda _: 0)])
    assert value(engine, "SELECT failure_count FROM jobs WHERE name = 'expire_holds'") == 0


def test_a_failure_holds_up_no_other_job(engine: Session, means: Means) -> None:
    rename(engine, JOBS["seal_ledger"])
    engine.execute("UPDATE jobs SET next_due_at = now() WHERE name IN ('expire_holds')")
    jobs = [failing(ZeroDivisionError()), JOBS["seal_ledger"]]
    assert outcomes(operations.run_due(means, jobs)) == {
        "expire_holds": Outcome.FAILED,
        "seal_ledger": Outcome.SUCCEEDED,
    }


def test_a_job_that_is_switched_off_is_not_run(engine: Session, means: Means) -> None:
    engine.execute("UPDATE jobs SET is_enabled = false")
    assert operations.run_due(means) == []


def _hold_until_soon(session: Session, user_id: str) -> None:
    ledger.reserve(
        session,
        user_id,
        "USD",
        Decimal(10),
        transaction_id=new_id_text(),
        purpose="order",
        expires_at=utc_now() + timedelta(seconds=0.3),
    )


def test_holds_that_cannot_go_back_are_told_and_hold_up_no_other(
    engine: Session, means: Means
) -> None:
    full, other = open_user(engine), open_user(engine)
    open_wallet(engine, full, "600")
    open_wallet(engine, other)
    for _ in range(60):
        _hold_until_soon(engine, full)
    open_wallet(engine, full, "999999999999")
    _hold_until_soon(engine, other)
    pause(0.4)
    rename(engine, JOBS["expire_holds"])
    (report,) = operations.run_due(means)
    assert (report.outcome, report.done_count) == (Outcome.SUCCEEDED, 1)
    assert str(report.error).startswith("60 left, the first: hold ")
    (status,) = (s for s in operations.list_jobs(engine) if s.name == "expire_holds")
    assert status.last_error == report.error


@pytest.fixture
def killed(engine: Session, engine_database: str, open_session: OpenSession) -> None:
    """Kill -9 a runner while it expires two holds and waits for the wallet of the second."""
    users = [open_user(engine), open_user(engine)]
    holders = sorted(open_wallet(engine, user_id) for user_id in users)
    for user_id in users:
        _hold_until_soon(engine, user_id)
    pause(0.4)
    rename(engine, JOBS["expire_holds"])
    blocker = open_session()
    with blocker.transaction():
        blocker.execute("SELECT FROM user_balances WHERE holder_id = %s FOR UPDATE", (holders[1],))
        runner = subprocess.Popen(
            [sys.executable, "-m", "tradewright", "jobs", "run-due", "--database", engine_database]
        )
        until(engine, "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        runner.send_signal(signal.SIGKILL)
        runner.wait()


def test_a_job_whose_runner_was_killed_is_run_again_and_done_once(
    engine: Session, means: Means, killed: None
) -> None:
    until(engine, "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")
    assert value(engine, "SELECT outcome FROM job_runs") is None
    (report,) = operations.run_due(means, [JOBS["expire_holds"]])
    assert report.outcome is Outcome.SUCCEEDED
    runs = engine.execute("SELECT outcome FROM job_runs ORDER BY started_at").fetchall()
    assert runs == [("lost",), ("succeeded",)]
    released = engine.execute(
        "SELECT count(*), sum(amount) FROM balance_ledger WHERE effect = 'release'"
    ).fetchone()
    assert released == (2, 20)
    audit.require_laws(audit.check_laws(engine))


def test_a_job_that_kills_its_runner_keeps_no_other_job_from_its_turn(
    engine: Session, means: Means, open_session: OpenSession
) -> None:
    rename(engine, JOBS["expire_holds"])
    engine.execute(
        "UPDATE jobs SET next_due_at = now() - CASE name WHEN 'expire_holds' THEN interval '2 min'"
        " ELSE interval '1 min' END WHERE name IN ('expire_holds', 'seal_ledger')"
    )
    for _ in range(2):
        runner = open_session()
        assert store.read_due(runner)[0] == "expire_holds"
        with store.claimed(runner, "expire_holds"):
            assert store.begin_run(runner, "expire_holds") is not None
            runner.close()
        until(engine, "SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'")
    assert outcomes(operations.run_due(means)) == {"seal_ledger": Outcome.SUCCEEDED}
    row = engine.execute(
        "SELECT failure_count, extract(epoch FROM next_due_at - finished_at)::integer FROM jobs"
        " JOIN job_runs ON job_name = name AND outcome = 'lost' WHERE name = 'expire_holds'"
    ).fetchone()
    assert row == (1, 30)


def test_a_run_that_another_took_for_lost_does_not_set_the_schedule(
    engine: Session, means: Means
) -> None:
    def work(_: Means) -> int:
        engine.execute(
            "UPDATE job_runs SET finished_at = clock_timestamp(), outcome = 'lost'"
            " WHERE finished_at IS NULL"
        )
        return 1

    job = rename(engine, Job(name="expire_holds", work=work))
    due = value(engine, "SELECT next_due_at FROM jobs WHERE name = 'expire_holds'")
    assert outcomes(operations.run_due(means, [job])) == {"expire_holds": Outcome.BUSY}
    assert value(engine, "SELECT next_due_at FROM jobs WHERE name = 'expire_holds'") == due


def test_a_run_that_has_ended_is_not_rewritten(engine: Session, means: Means) -> None:
    rename(engine, JOBS["seal_ledger"])
    operations.run_due(means)
    with pytest.raises(psycopg.Error) as caught:
        engine.execute("UPDATE job_runs SET done_count = 9")
    assert caught.value.sqlstate == "TW010"


def test_payments_are_submitted_and_their_events_delivered_by_runners_with_the_means(
    engine: Session, means: Means, open_session: OpenSession
) -> None:
    secret, user_id = new_secret(), settled_user(engine)
    with webhook_server(same_connection(open_session()), {Provider.CARDS: [secret]}) as address:
        endpoint = Endpoint(f"{address}/v1/webhooks/cards", [secret])
        queue = WebhookSender(endpoint, "cards", Manners(), seed=1)
        equipped = Means(
            source=means.source,
            providers={Provider.CARDS: CardSimulator(queue)},
            endpoint=Endpoint("http://127.0.0.1:9", [secret]),
        )
        payment = start(engine, user_id)
        done = {report.job: report for report in operations.run_due(equipped)}
        queue.deliver()
    assert (done["submit_payments"].outcome, done["submit_payments"].done_count) == ("succeeded", 1)
    assert (done["deliver_events"].outcome, done["deliver_events"].done_count) == ("succeeded", 0)
    assert value(engine, "SELECT max(attempt_count) FROM outbox_events") == 1
    assert payments.find_payment(engine, payment.id).status is PaymentStatus.SUCCEEDED


class Unreachable(CardSimulator):
    """A provider that can be asked for nothing."""

    code = Provider.CHAIN

    def submit(self, payment: Payment) -> None:
        """Fail, as a provider does that is not there."""
        raise StateError(ErrorCode.PAYMENT_PROVIDER_UNKNOWN, f"{payment.id} is not taken", why="-")


def coins_out(session: Session, user_id: str) -> Payment:
    """Give a user coins, and let them withdraw a part over the chain."""
    ledger.credit(session, user_id, "BTC", Decimal(1), transaction_id=new_id_text())
    observed = payments.RateObserved(
        base="BTC", quote="USD", rate=Decimal(20_000), source="t", observed_at=utc_now()
    )
    request = payments.PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.WITHDRAWAL,
        currency="BTC",
        amount=Decimal("0.0005"),
        provider=Provider.CHAIN,
        destination="bc1q",
    )
    with session.transaction():
        payments.record_rates(session, [observed])
        return payments.start_payment(session, request)


def test_a_provider_that_cannot_be_asked_keeps_no_other_from_being_asked(
    engine: Session, means: Means
) -> None:
    user_id = settled_user(engine, "500")
    asked = start(engine, user_id)
    unasked = coins_out(engine, user_id)
    queue = WebhookSender(
        Endpoint("http://127.0.0.1:9", [new_secret()]), "cards", Manners(), seed=1
    )
    providers = {Provider.CHAIN: Unreachable(queue), Provider.CARDS: CardSimulator(queue)}
    equipped = Means(source=means.source, providers=providers)
    done = {report.job: report for report in operations.run_due(equipped)}["submit_payments"]
    assert (done.outcome, done.error_code) == ("failed", ErrorCode.PAYMENT_PROVIDER_UNKNOWN)
    rows = engine.execute(
        "SELECT id::text FROM payment_transactions WHERE submitted_at IS NOT NULL"
    ).fetchall()
    assert (rows, unasked.id == asked.id) == ([(asked.id,)], False)


def test_the_commands_run_and_list(engine: Session, engine_database: str) -> None:
    play(engine)
    first = run_command(engine_database, "run-due")
    assert first.exit_code == 0, first.output
    assert "seal_ledger: done, " in first.output
    assert "deliver_events: waits for a runner with an endpoint to deliver to" in first.output
    listed: list[dict[str, Any]] = json.loads(run_command(engine_database, "list", "--json").output)
    told = {row["name"]: row for row in listed}
    assert set(told) == set(JOBS)
    assert told["seal_ledger"]["last_outcome"] == "succeeded"
    assert told["make_audit_partitions"]["schedule"] == "daily at 01:00 UTC"
    assert "roll_up_house_balances" in run_command(engine_database, "list").output


def test_the_command_exits_with_1_when_a_job_failed(engine: Session, engine_database: str) -> None:
    rename(engine, JOBS["seal_ledger"])
    engine.execute("ALTER FUNCTION seal_ledger(integer) RENAME TO lost_ledger")
    result = run_command(engine_database, "run-due", "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)[0]["outcome"] == "failed"


def test_an_endpoint_without_a_secret_is_refused(engine_database: str) -> None:
    result = run_command(engine_database, "run-due", "--webhook-url", "http://127.0.0.1:9")
    assert result.exit_code == 2


@given(
    every=st.timedeltas(timedelta(seconds=1), timedelta(days=7)),
    late=st.timedeltas(timedelta(0), timedelta(days=30)),
)
def test_an_interval_keeps_its_beat_and_makes_up_for_nothing(
    every: timedelta, late: timedelta
) -> None:
    now = NOON + late
    following = due_after_success(Schedule(every, None), NOON, now)
    assert now < following <= now + every
    assert (following - NOON) % every == timedelta(0)


@given(at=st.times(), now=st.datetimes(timezones=st.just(UTC)))
def test_a_time_of_day_is_the_next_one(at: time, now: datetime) -> None:
    if now.year == 9999:
        return
    following = due_after_success(Schedule(None, at), now, now)
    assert now < following <= now + timedelta(days=1)
    assert following.timetz().replace(tzinfo=None) == at


@given(st.integers(1, 10_000))
def test_a_failure_is_put_off_by_half_a_minute_to_an_hour(failures: int) -> None:
    wait = due_after_failure(failures, NOON) - NOON
    assert timedelta(seconds=30) <= wait <= timedelta(hours=1)
    assert wait <= due_after_failure(failures + 1, NOON) - NOON
