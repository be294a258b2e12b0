"""How fast the review reads, beside squawk on the same files in the same run.

Both sides are whole processes, as a build server starts them: the interpreter, its imports, the
reading and the report all count. Each is run twice in a round: as its users type it, with its own
report for people, and with its report in JSON. Squawk is a compiled program that looks at each file
alone; the review keeps a model of the schema across them, so the two do not do the same work.
"""

import json
import os
import shutil
import statistics
import subprocess
import sysconfig
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tradewright.bench.corpus import write_corpus
from tradewright.core.clock import monotonic_seconds
from tradewright.core.errors import ErrorCode, InternalError, StateError

SECONDS_MAX = 120
"""Longer than this no side may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLoad:
    """How much there is to read, from which seed, and how often."""

    files: int
    statements: int
    seed: int
    rounds: int


@dataclass(frozen=True, slots=True)
class ReviewBench:
    """Medians over the rounds; a ratio is the median of our wall time over squawk's by round.

    The figures are those of the reports for people, except where a name says JSON.
    """

    statements_per_second: float
    squawk_statements_per_second: float
    ratio: float
    ratios: Sequence[float]
    json_ratio: float
    json_wall_seconds: float
    squawk_json_wall_seconds: float
    wall_seconds: float
    squawk_wall_seconds: float
    cpu_seconds: float
    squawk_cpu_seconds: float
    files: int
    statements: int
    seed: int
    rounds: int
    findings: int
    squawk_findings: int
    squawk_version: str


@dataclass(frozen=True, slots=True)
class _Run:
    wall_seconds: float
    cpu_seconds: float
    answer: str


def bench_review(load: ReviewLoad) -> ReviewBench:
    """Measure in interleaved rounds, squawk first in each, after one round that does not count.

    Raises:
        StateError: BENCH_SQUAWK_MISSING.
        InternalError: INTERNAL_DEFECT; one side did not read the files.

    """
    ours, theirs = _program("tradewright"), _program("squawk")
    with TemporaryDirectory(prefix="tradewright-bench-") as name:
        folder = Path(name)
        write_corpus(folder, files=load.files, statements=load.statements, seed=load.seed)
        paths = sorted(path.name for path in folder.iterdir())
        squawk, review = [theirs], [ours, "review", ".", "--no-prove", "--fail-on", "never"]
        sides = (
            [*squawk, *paths],
            review,
            [*squawk, "--reporter", "json", *paths],
            [*review, "--format", "json"],
        )
        rounds = [[_run(side, folder) for side in sides] for _ in range(load.rounds + 1)]
    return _figures(load, rounds[1:], _version(theirs))


def _figures(load: ReviewLoad, rounds: list[list[_Run]], version: str) -> ReviewBench:
    theirs, ours, theirs_json, ours_json = (_median(runs) for runs in zip(*rounds, strict=True))
    ratios = [ours.wall_seconds / theirs.wall_seconds for theirs, ours, _, _ in rounds]
    json_ratios = [ours.wall_seconds / theirs.wall_seconds for _, _, theirs, ours in rounds]
    return ReviewBench(
        statements_per_second=round(load.statements / ours.wall_seconds, 1),
        squawk_statements_per_second=round(load.statements / theirs.wall_seconds, 1),
        ratio=round(statistics.median(ratios), 3),
        ratios=[round(ratio, 3) for ratio in ratios],
        json_ratio=round(statistics.median(json_ratios), 3),
        json_wall_seconds=ours_json.wall_seconds,
        squawk_json_wall_seconds=theirs_json.wall_seconds,
        wall_seconds=ours.wall_seconds,
        squawk_wall_seconds=theirs.wall_seconds,
        cpu_seconds=ours.cpu_seconds,
        squawk_cpu_seconds=theirs.cpu_seconds,
        **asdict(load),
        findings=_findings(ours_json, load.files),
        squawk_findings=len(json.loads(theirs_json.answer)),
        squawk_version=version,
    )


def _median(runs: Sequence[_Run]) -> _Run:
    """Return the median times of one side, with its last answer."""
    return _Run(
        round(statistics.median(run.wall_seconds for run in runs), 4),
        round(statistics.median(run.cpu_seconds for run in runs), 4),
        runs[-1].answer,
    )


def _findings(review: _Run, files: int) -> int:
    """Return how much the review found, after a look that it read every file."""
    report = json.loads(review.answer)
    if len(report["files"]) != files:
        raise _unread(f"The report names {len(report['files'])} of {files} files.")
    return len(report["findings"])


def _run(command: list[str], folder: Path) -> _Run:
    """Run one side in the folder; squawk says by 1 that it found something.

    Python may keep its compiled modules, as after any installation.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    before, began = os.times(), monotonic_seconds()
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    wall, after = monotonic_seconds() - began, os.times()
    if done.returncode not in {0, 1} or not done.stdout:
        raise _unread(done.stderr.strip()[-500:])
    cpu = after.children_user + after.children_system
    return _Run(wall, cpu - before.children_user - before.children_system, done.stdout)


def _program(name: str) -> str:
    """Return the path of a program, first looking beside this interpreter."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise StateError(
            ErrorCode.BENCH_SQUAWK_MISSING,
            f'the program "{name}" was not found',
            why="The review is measured beside squawk, which is no part of the base installation.",
            hint="Install it: pip install squawk-cli",
            facts={"program": name},
        )
    return found


def _version(program: str) -> str:
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def _unread(why: str) -> InternalError:
    return InternalError(
        ErrorCode.INTERNAL_DEFECT,
        "one side of the benchmark did not read the files",
        why=why or "It ended without a report.",
        hint="Run both programs by hand on a folder of migrations.",
    )
