"""The record: who acted, what a row went through, and whether seals notice a touched row."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cast import open_user, open_wallet, play
from tests.conftest import OpenSession
from tests.floor import Floor, buy, deal, refusal
from tradewright import audit
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode, InputError
from tradewright.ledger.sealing import LedgerHead
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book


def actors(session: Session, user_id: str) -> list[str]:
    rows = session.execute("SELECT actor FROM audit_log WHERE row_id = %s ORDER BY seq", (user_id,))
    return [row[0] for row in rows]


def run(database: str, *words: str) -> tuple[int, Any]:
    """Run the command with --json and return its exit status and what it printed."""
    result = CliRunner().invoke(cli, ["audit", *words, "--json", "--database", database])
    return result.exit_code, json.loads(result.stdout)


def test_the_actor_is_written_beside_each_change_of_the_transaction_only(engine: Session) -> None:
    with engine.transaction():
        audit.acting_as(engine, "ann@dealing")
        user_id = open_user(engine)
    engine.execute("UPDATE users SET kyc_level = 3 WHERE id = %s", (user_id,))
    assert actors(engine, user_id) == ["ann@dealing", "tradewright"]


def test_an_actor_for_no_transaction_is_refused(engine: Session) -> None:
    with pytest.raises(ValueError, match="open transaction"):
        audit.acting_as(engine, "ann@dealing")


def test_an_empty_actor_is_refused(engine: Session) -> None:
    with engine.transaction(), pytest.raises(ValueError, match="must be a name"):
        audit.acting_as(engine, " ")


def test_an_update_keeps_changed_fields_with_old_and_new_value(engine: Session) -> None:
    user_id = open_user(engine, kyc_level=1)
    engine.execute("UPDATE users SET kyc_level = 3 WHERE id = %s", (user_id,))
    last = audit.read_trail(engine, user_id)[-1]
    assert (last.source, last.action) == ("users", "update")
    assert last.details["kyc_level"] == [1, 3]
    assert last.reason is None
    assert set(last.details) == {"kyc_level", "revision", "updated_at"}


def test_times_in_the_record_are_utc_whatever_the_session_says(engine: Session) -> None:
    engine.execute("SET timezone TO 'Asia/Tokyo'")
    engine.execute("SET datestyle TO 'German'")
    user_id = open_user(engine)
    engine.execute("SET datestyle TO 'ISO'")
    assert str(audit.read_trail(engine, user_id)[0].details["created_at"]).endswith("+00:00")


def test_the_trail_of_an_order_tells_events_trades_and_money_in_order(engine: Session) -> None:
    cast = play(engine)
    trail = audit.read_trail(engine, cast.order_ids[1])
    assert [(entry.source, entry.action) for entry in trail] == [
        ("order_events", "new"),
        ("order_events", "trade"),
        ("trades", "close"),
        ("balance_ledger", "commission"),
        ("balance_ledger", "realised_pnl"),
    ]
    assert trail[0].actor == "trader"


def test_the_trail_of_a_payment_tells_states_and_money_in_order(engine: Session) -> None:
    cast = play(engine)
    trail = audit.read_trail(engine, cast.withdrawal_id)
    assert [(entry.source, entry.action) for entry in trail] == [
        ("payment_transactions", "insert"),
        ("balance_ledger", "reserve"),
        ("payment_transactions", "update"),
    ]


def test_the_trail_of_an_order_is_in_the_order_in_which_it_was_recorded(
    engine_database: str, engine: Session
) -> None:
    floor = Floor.opened(engine_database, engine)
    account_id = floor.account(book=Book.A)
    with floor.engine() as running:
        order_id = deal(running, buy(account_id, 1_000)).order_id
    trail = audit.read_trail(engine, order_id)
    assert [(entry.source, entry.action) for entry in trail] == [
        ("order_events", "new"),
        ("provider_requests", "accepted"),
        ("order_events", "trade"),
        ("trades", "open"),
    ]


def test_a_long_trail_ends_with_the_newest_entry(engine: Session) -> None:
    cast = play(engine)
    whole = audit.read_trail(engine, cast.account_id)
    assert audit.read_trail(engine, cast.account_id, entries_max=2) == whole[-2:]


def test_sealing_covers_each_row_once_and_nothing_twice(engine: Session) -> None:
    play(engine)
    open_user(engine)
    open_user(engine)
    assert (audit.seal(engine), audit.seal(engine)) == (2, 0)
    assert [head.seq for head in audit.export_heads(engine)] == [1, 2]
    found = audit.verify(engine)
    rows = engine.execute("SELECT count(*) FROM audit_log").fetchone()
    assert found.is_good
    assert (found.seals, (found.rows_sealed,), found.rows_unsealed) == (2, rows, 0)


def test_rows_of_a_transaction_still_open_wait_for_the_next_seal(
    engine: Session, open_session: OpenSession
) -> None:
    audit.seal(engine)
    slow = open_session()
    with slow.transaction():
        open_user(slow)
        open_user(engine)
        assert audit.seal(engine) == 0
    assert audit.seal(engine) == 2
    assert audit.verify(engine).is_good


def test_the_first_bad_seal_is_named_with_its_reason(engine: Session) -> None:
    for _ in range(3):
        user_id = open_user(engine)
        audit.seal(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE audit_log SET actor = 'nobody' WHERE seq >= 4")
    found = audit.verify(engine)
    assert (found.first_bad_seq, found.reason) == (2, "An audit row that it covers was changed.")
    engine.execute("DELETE FROM audit_log WHERE seq = 1")
    assert audit.verify(engine).reason == "It covers 3 audit rows, and 2 are there."
    assert actors(engine, user_id) == ["nobody"]


@pytest.mark.parametrize(
    "change",
    [
        "sealed_at = sealed_at - interval '1 hour'",
        "row_count = row_count + 1",
        "digest = sha256('')",
    ],
)
def test_a_seal_says_by_its_head_when_and_over_how_much_it_was_made(
    engine: Session, change: str
) -> None:
    open_user(engine)
    audit.seal(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute(f"UPDATE audit_seals SET {change}".encode())
    assert audit.verify(engine).first_bad_seq == 1


def test_a_row_slipped_into_a_sealed_range_is_noticed(engine: Session) -> None:
    open_user(engine)
    audit.seal(engine)
    engine.execute(
        "INSERT INTO audit_log (txid, actor, table_name, row_id, action, changes)"
        " VALUES (1, 'ann', 'users', uuidv7(), 'insert', '{}')"
    )
    assert audit.verify(engine).first_bad_seq == 1


def test_heads_of_another_chain_are_not_gone_on_with(engine: Session) -> None:
    open_user(engine)
    audit.seal(engine)
    heads = audit.export_heads(engine)
    open_user(engine)
    audit.seal(engine)
    assert [head.seq for head in audit.new_heads(engine, heads)] == [2]
    engine.execute("SET session_replication_role = replica")
    engine.execute("DELETE FROM audit_seals")
    for seals in (0, 1):
        error = refusal(lambda: audit.new_heads(engine, heads))
        assert (error.code, error.facts) == (ErrorCode.RECORD_HEADS_DIFFER, {"seal": 1})
        if not seals:
            engine.execute("UPDATE audit_log SET actor = 'nobody' WHERE seq = 1")
            audit.seal(engine)


def test_removed_and_rewritten_seals_are_noticed_by_exported_heads_only(engine: Session) -> None:
    open_user(engine)
    audit.seal(engine)
    open_user(engine)
    audit.seal(engine)
    heads = audit.export_heads(engine)
    engine.execute("SET session_replication_role = replica")
    engine.execute("DELETE FROM audit_seals WHERE seq = 2")
    assert audit.verify(engine).is_good
    gone = audit.verify(engine, heads)
    assert (gone.first_bad_seq, gone.reason) == (2, "The seal was exported and is gone.")
    engine.execute("DELETE FROM audit_seals")
    engine.execute("UPDATE audit_log SET actor = 'nobody' WHERE seq = 1")
    audit.seal(engine)
    assert audit.verify(engine).is_good
    assert audit.verify(engine, heads).first_bad_seq == 1


def test_a_line_that_is_no_head_is_refused_with_its_number() -> None:
    with pytest.raises(InputError) as caught:
        audit.read_heads(["", '{"seq": 1}'])
    assert caught.value.code == ErrorCode.INPUT_HEADS_MALFORMED
    assert caught.value.facts == {"line": 2}


def test_the_command_laws_tells_figures_and_exits_with_1_when_one_is_broken(
    engine: Session, engine_database: str
) -> None:
    play(engine)
    status, laws = run(engine_database, "laws")
    assert (status, laws["position_is_its_trades"]) == (
        0,
        {"checked": 4, "broken": 0, "examples": []},
    )
    engine.execute("SET session_replication_role = replica")
    engine.execute("UPDATE positions SET realised_pnl = 11 WHERE realised_pnl = 10")
    status, laws = run(engine_database, "laws")
    assert (status, laws["position_is_its_trades"]["broken"]) == (1, 1)


def test_the_commands_seal_export_and_verify_work_together(
    engine: Session, engine_database: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "heads.jsonl")
    open_user(engine)
    assert (
        run(engine_database, "seal")[1]["rows_sealed"] == 3
    )  # the standard group's and the retention's are there
    assert run(engine_database, "export", file) == (0, {"heads_added": 2, "heads": 2})
    open_user(engine)
    run(engine_database, "seal")
    assert run(engine_database, "export", file) == (0, {"heads_added": 1, "heads": 3})
    assert run(engine_database, "verify", "--heads", file)[0] == 0
    engine.execute("SET session_replication_role = replica")
    engine.execute("DELETE FROM audit_seals WHERE seq = 2")
    status, found = run(engine_database, "verify", "--heads", file)
    assert (status, found["first_bad_seq"]) == (1, 2)


def test_the_command_show_prints_the_trail_of_a_row(engine: Session, engine_database: str) -> None:
    user_id = open_user(engine)
    status, trail = run(engine_database, "show", user_id)
    assert (status, [entry["action"] for entry in trail]) == (0, ["insert"])


def test_the_command_show_loses_no_digit_of_an_amount(
    engine: Session, engine_database: str
) -> None:
    user_id = open_user(engine)
    wallet_id = open_wallet(engine, user_id, "12345678901.12345678", "BTC")
    _, trail = run(engine_database, "show", wallet_id)
    amounts = [entry["details"].get("available_after") for entry in trail]
    assert "12345678901.12345678" in amounts
    words = ["audit", "show", wallet_id, "--database", engine_database]
    shown = CliRunner(env={"COLUMNS": "2000"}).invoke(cli, words).stdout
    assert '"12345678901.12345678"' in shown


def test_a_checkpoint_of_the_ledger_is_no_head_of_the_audit_seals(tmp_path: Path) -> None:
    file = tmp_path / "ledger-heads.jsonl"
    head = LedgerHead(seq=1, to_txid=900, entries=3, transfers=2, head="0a1b")
    file.write_text(f"{head.as_line()}\n")
    with pytest.raises(InputError) as caught:
        audit.read_heads(file.read_text().splitlines())
    assert caught.value.code == ErrorCode.INPUT_HEADS_MALFORMED


@pytest.mark.parametrize("words", [["laws"], ["seal"], ["verify"]])
def test_the_commands_print_for_a_person_too(
    engine: Session, engine_database: str, words: list[str]
) -> None:
    play(engine)
    result = CliRunner().invoke(cli, ["audit", *words, "--database", engine_database])
    assert result.exit_code == 0
    assert result.stdout.strip()
