"""What the documentation shows runs: a newcomer's first day, and the life of a payment."""

from pathlib import Path

import pytest

from tests.e2e.docs_session import first_failure, steps
from tests.floor import Floor
from tests.old_months import months_ago, old_month
from tradewright.postgres.connect import Session
from tradewright.routing.model import Book

START = Path(__file__).resolve().parents[2] / "docs" / "start"
HOW_TO = START.parent / "how-to"


def write_page(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


def test_the_sessions_of_the_tutorial_run(tmp_path: Path) -> None:
    failed = first_failure(sorted(START.glob("*.md")), tmp_path)
    assert not failed, f"docs/start/{failed}"


@pytest.mark.parametrize(
    "page",
    [
        "explain/life-of-a-payment.md",
        "explain/sealed-ledger.md",
        "how-to/console.md",
        "how-to/open-an-account.md",
        "how-to/report.md",
        "how-to/report-from-views.md",
        "how-to/run-jobs.md",
        "how-to/serve.md",
        "how-to/watch-a-house.md",
    ],
)
def test_what_is_shown_of_accounts_payments_the_sealed_ledger_and_jobs_runs(
    page: str, engine_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", engine_database)
    failed = first_failure([START.parent / page], tmp_path)
    assert not failed, f"docs/{failed}"


def test_what_is_shown_of_the_archive_runs(
    engine: Session, engine_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    old_month(engine, 40)
    old_month(engine, 39)
    held, back = (f"{months_ago(count):%Y-%m}" for count in (40, 39))
    page = tmp_path / "archive.md"
    text = (HOW_TO / "archive.md").read_text(encoding="utf-8")
    page.write_text(text.replace("2023-07", held).replace("2023-08", back), encoding="utf-8")
    monkeypatch.setenv("DATABASE_URL", engine_database)
    failed = first_failure([page], tmp_path)
    assert not failed, f"docs/how-to/{failed}"


def test_the_settings_of_routing_run(
    engine_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", engine_database)
    failed = first_failure([START.parent / "reference" / "routing.md"], tmp_path)
    assert not failed, f"docs/reference/{failed}"


def test_a_provider_is_connected_and_traded_with_as_it_is_shown(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", floor.conninfo)
    monkeypatch.setenv("ACCOUNT", floor.account("10000", book=Book.A))
    failed = first_failure([HOW_TO / "connect-a-provider.md"], tmp_path)
    assert not failed, f"docs/how-to/{failed}"
    assert floor.rows("SELECT client_order_id FROM orders") == [("first-1",)]


def test_the_sessions_of_positions_run(
    floor: Floor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", floor.conninfo)
    failed = first_failure([START.parent / "reference" / "positions.md"], tmp_path)
    assert not failed, f"docs/reference/{failed}"


@pytest.mark.parametrize(
    "page", ["explain/margin.md", "reference/margin.md", "reference/settings.md"]
)
def test_what_is_shown_of_settings_runs(
    page: str, floor: Floor, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE_URL", floor.conninfo)
    failed = first_failure([START.parent / page], tmp_path)
    assert not failed, f"docs/{failed}"


def test_the_sessions_of_rewriting_run(tmp_path: Path) -> None:
    failed = first_failure([HOW_TO / "rewrite-migrations.md"], tmp_path)
    assert not failed, f"docs/how-to/{failed}"


def test_a_page_without_blocks_has_no_steps(tmp_path: Path) -> None:
    assert steps(write_page(tmp_path, "Words.\n\n```text\n$ false\n```\n")) == []


def test_only_lines_with_a_prompt_are_commands(tmp_path: Path) -> None:
    page = write_page(
        tmp_path, "# Title\n\n```console\n$ echo one\none\n$ echo two \\\n    three\n```\n"
    )
    assert [(step.line, step.arguments[-1]) for step in steps(page)] == [
        (4, "echo one"),
        (6, "echo two \\\n    three"),
    ]


def test_a_command_that_fails_is_told_with_its_place_and_output(tmp_path: Path) -> None:
    page = write_page(tmp_path, "```console\n$ true\n$ echo lost >&2; exit 3\n```\n")
    failed = first_failure([page], tmp_path)
    assert failed.startswith("page.md:3: echo lost >&2; exit 3: exit 3, not 0")
    assert "lost" in failed


@pytest.mark.parametrize(("command", "fails"), [("false", False), ("true", True)])
def test_an_expected_exit_must_be_met(tmp_path: Path, command: str, fails: bool) -> None:
    page = write_page(tmp_path, f"```console\n$ {command}  # exit 1\n```\n")
    assert bool(first_failure([page], tmp_path)) is fails


def test_a_command_that_fails_inside_a_pipe_is_found(tmp_path: Path) -> None:
    page = write_page(tmp_path, "```console\n$ false | cat\n```\n")
    assert first_failure([page], tmp_path)


def test_steps_share_one_folder_and_stop_at_the_first_failure(tmp_path: Path) -> None:
    page = write_page(
        tmp_path, "```console\n$ echo 1 > a\n$ test -f a\n$ false\n$ touch never\n```\n"
    )
    folder = tmp_path / "session"
    folder.mkdir()
    assert first_failure([page], folder).startswith("page.md:4")
    assert sorted(path.name for path in folder.iterdir()) == ["a"]


def test_a_python_block_runs_with_the_package_at_hand(tmp_path: Path) -> None:
    page = write_page(
        tmp_path,
        "```python\nfrom tradewright.core.money import parse_amount\n"
        'assert str(parse_amount("1.50", "USD")) == "1.50 USD"\n```\n',
    )
    assert first_failure([page], tmp_path) == ""


def test_a_python_block_that_raises_is_found(tmp_path: Path) -> None:
    page = write_page(tmp_path, "```python\nraise SystemExit(2)\n```\n")
    assert "exit 2, not 0" in first_failure([page], tmp_path)


def test_the_command_of_the_house_is_on_the_path(tmp_path: Path) -> None:
    page = write_page(tmp_path, "```console\n$ tradewright --version\n```\n")
    assert first_failure([page], tmp_path) == ""
