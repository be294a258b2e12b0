"""`tradewright ledger`: the house's positions, and the proof of liabilities from the database."""

import json
from decimal import Decimal
from pathlib import Path

from click.testing import CliRunner, Result

from tests.cast import open_account, open_user, open_wallet, play, value
from tradewright import ledger
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode, InputError
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, ["ledger", *map(str, words)])


def test_the_house_s_positions_are_told(engine: Session, engine_database: str) -> None:
    open_wallet(engine, open_user(engine))
    told = run("house", "--json", "--database", engine_database)
    assert json.loads(told.output)[0] == {
        "code": "clearing",
        "currency": "USD",
        "received": "0",
        "given": "100",
        "balance": "-100",
    }
    assert "clearing" in run("house", "--database", engine_database).output


def test_a_proof_is_written_and_holds_without_the_database(
    engine: Session, engine_database: str, tmp_path: Path
) -> None:
    play(engine)
    other = open_user(engine)
    open_wallet(engine, other, "12.34")
    open_wallet(engine, other, "5", "EUR")
    account_id = open_account(engine, other)
    ledger.transfer_to_account(engine, account_id, Decimal(2), transaction_id=new_id_text())
    told = run("prove", "--to", tmp_path / "out", "--json", "--database", engine_database)
    assert told.exit_code == 0, told.output
    owed = value(
        engine,
        "SELECT sum(available + reserved) + (SELECT sum(balance) FROM accounts)"
        " FROM user_balances WHERE currency = 'USD'",
    )
    published = json.loads(told.output)["currencies"]
    assert Decimal(published["USD"]["total"]) == owed
    holders = "SELECT count(DISTINCT user_id) FROM user_balances WHERE currency = 'USD'"
    assert published["USD"]["users"] == value(engine, holders)
    assert published["EUR"] == {**published["EUR"], "total": "5.00000000", "users": 1}
    files = (tmp_path / "out" / "roots.json", tmp_path / "out" / "proofs.jsonl")
    checked = run("check-proof", *files)
    assert checked.exit_code == 0, checked.output
    mine = [line for line in files[1].read_text().splitlines() if other in line and "USD" in line]
    files[1].write_text(mine[0].replace("12.34", "99.34") + "\n")
    checked = run("check-proof", *files)
    assert checked.exit_code == 1
    assert "leads to another root" in checked.output


def test_proofs_are_read_by_nobody_else_wherever_they_are_written(
    engine: Session, engine_database: str, tmp_path: Path
) -> None:
    open_wallet(engine, open_user(engine), "12.34")
    tmp_path.chmod(0o755)
    assert run("prove", "--to", tmp_path, "--database", engine_database).exit_code == 0
    assert (tmp_path / "proofs.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_published_proof_is_not_written_over(
    engine: Session, engine_database: str, tmp_path: Path
) -> None:
    open_wallet(engine, open_user(engine), "12.34")
    words = ("prove", "--to", tmp_path / "out", "--database", engine_database)
    assert run(*words).exit_code == 0
    files = (tmp_path / "out" / "roots.json", tmp_path / "out" / "proofs.jsonl")
    published = [file.read_bytes() for file in files]
    again = run(*words)
    assert isinstance(again.exception, InputError)
    assert again.exception.code is ErrorCode.INPUT_OUTPUT_EXISTS
    assert [file.read_bytes() for file in files] == published


def test_an_account_below_zero_lowers_nobody_s_claim(
    engine: Session, engine_database: str, tmp_path: Path
) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id, "10")
    account_id = open_account(engine, user_id)
    house = ledger.house_holder_ids(engine, "USD")[ledger.HouseCode.FEES]
    fee = ledger.Movement(
        transaction_id=new_id_text(),
        operation="fee",
        debit_id=account_id,
        credit_id=house,
        currency="USD",
        amount=Decimal(4),
    )
    with engine.transaction():
        ledger.post_movements(engine, [fee])
    told = run("prove", "--to", tmp_path, "--json", "--database", engine_database)
    assert json.loads(told.output)["currencies"]["USD"]["total"] == "10.00000000"


def test_a_user_s_history_is_told_newest_first(engine: Session, engine_database: str) -> None:
    user_id = open_user(engine)
    open_wallet(engine, user_id, "100")
    ledger.debit(engine, user_id, "USD", Decimal("12.34"), transaction_id=new_id_text())
    told = run("history", user_id, "--json", "--database", engine_database)
    assert told.exit_code == 0, told.output
    entries = json.loads(told.output)
    assert [one["effect"] for one in entries] == ["debit", "credit"]
    assert entries[0]["available_after"] == "87.66"
    shown = run("history", f"{user_id}@example.org", "--limit", 1, "--database", engine_database)
    assert shown.output.count("debit") == 2
    assert "credit" not in shown.output
    before = ("history", user_id, "--until", "2020-01-01", "--json")
    assert json.loads(run(*before, "--database", engine_database).output) == []


def test_a_history_of_nobody_says_so(engine: Session, engine_database: str) -> None:
    for user, why in (
        (open_user(engine), "has no wallet and no account"),
        ("nobody@example.org", "does not exist"),
    ):
        told = run("history", user, "--database", engine_database)
        assert told.exit_code == 1
        assert why in told.output + str(told.exception)
