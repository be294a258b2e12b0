"""The benchmark of the review: its corpus, its figures, and what it says without squawk."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tradewright.bench import review as bench
from tradewright.bench.corpus import write_corpus
from tradewright.cli.bench import command
from tradewright.core.errors import ErrorCode, StateError
from tradewright.review.halves import BYTES_MIN
from tradewright.review.report.json_report import render
from tradewright.review.result import review_folder


def texts(folder: Path, seed: int) -> list[str]:
    folder.mkdir()
    write_corpus(folder, files=100, statements=714, seed=seed)
    return [path.read_text("utf-8") for path in sorted(folder.iterdir())]


def test_a_seed_gives_the_same_corpus_each_time(tmp_path: Path) -> None:
    assert texts(tmp_path / "one", 7) == texts(tmp_path / "again", 7)
    assert texts(tmp_path / "other", 8) != texts(tmp_path / "one more", 7)


def test_every_statement_of_the_corpus_is_read_and_fits_the_schema(tmp_path: Path) -> None:
    texts(tmp_path / "corpus", 7)
    review = review_folder(tmp_path / "corpus")
    readings = review.context.readings
    assert len(readings) == 100
    assert sum(len(reading.statements) for reading in readings) == 714
    assert not any(reading.refusals or reading.unread for reading in readings)
    kinds = {statement.kind for reading in readings for statement in reading.statements}
    assert {"CreateStmt", "AlterTableStmt", "IndexStmt", "CreateFunctionStmt", "InsertStmt"} < kinds
    unfit = ("missing-", "duplicate-object", "syntax")
    assert not [f for f in review.findings if f.rule.startswith(unfit)]


def test_two_processes_find_what_one_finds(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    write_corpus(folder, files=160, statements=1_200, seed=3)
    assert sum(path.stat().st_size for path in folder.iterdir()) > BYTES_MIN
    alone = review_folder(folder)
    program = "from tradewright.cli.main import main; main()"
    command = [sys.executable, "-c", program, "review", str(folder), "--no-prove", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["findings"] == json.loads(render(alone))["findings"]
    assert len(alone.findings) > 300


def test_the_benchmark_reports_both_sides_and_their_ratio() -> None:
    arguments = ["review", "--json", "--files", "4", "--statements", "20", "--rounds", "1"]
    figures = json.loads(CliRunner().invoke(command, arguments).output)
    assert (figures["files"], figures["statements"], len(figures["ratios"])) == (4, 20, 1)
    assert figures["findings"] > 0
    assert figures["squawk_findings"] > 0
    quotient = figures["wall_seconds"] / figures["squawk_wall_seconds"]
    assert figures["ratio"] == pytest.approx(quotient, rel=0.05)


def test_a_missing_squawk_is_told_with_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shutil.which

    def without_squawk(name: str, *, path: str | None = None) -> str | None:
        return None if name == "squawk" else found(name, path=path)

    monkeypatch.setattr(shutil, "which", without_squawk)
    load = bench.ReviewLoad(files=1, statements=1, seed=1, rounds=1)
    with pytest.raises(StateError) as refused:
        bench.bench_review(load)
    assert refused.value.code is ErrorCode.BENCH_SQUAWK_MISSING
    assert "pip install squawk-cli" in refused.value.hint
