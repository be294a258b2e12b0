"""What `tradewright verify` prints: a table of the ten tests, then what is wrong, then times."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tradewright.cli.terminal import standard_console
from tradewright.review.verify.outcome import Status, Verification

PROBLEMS_MAX = 10
_STYLES = {Status.PASSED: "green", Status.FAILED: "bold red", Status.NOT_APPLICABLE: "dim"}


def show(verification: Verification) -> None:
    """Print a verification."""
    console = standard_console()
    table = Table("", "test", "result", "figures", title=escape(verification.folder))
    for verdict in verification.verdicts:
        status = verdict.outcome.status
        told = f"[{_STYLES[status]}]{status}[/]"
        figures = escape(verdict.outcome.figures)
        table.add_row(str(verdict.number), escape(verdict.title), told, figures)
    console.print(table)
    _show_queries(console, verification)
    for verdict in verification.failed:
        console.print(f"\n[bold]{verdict.number} {escape(verdict.title)}[/]")
        _show_problems(console, verdict.outcome.problems)
    console.print(_closing(verification))


def _show_problems(console: Console, problems: tuple[str, ...]) -> None:
    for problem in problems[:PROBLEMS_MAX]:
        console.print(f"  - {escape(problem)}")
    if len(problems) > PROBLEMS_MAX:
        console.print(f"  and {len(problems) - PROBLEMS_MAX} more; all of them with --json")


def _show_queries(console: Console, verification: Verification) -> None:
    """Print each declared query with its times, where any were measured."""
    found = (verdict.outcome.facts.get("queries") for verdict in verification.verdicts)
    queries = next((each for each in found if isinstance(each, Mapping)), None)
    if not queries:
        return
    table = Table("query", "without index", "with", "times faster", "index")
    for name, figures in queries.items():
        table.add_row(
            escape(name),
            _milliseconds(figures["without_us"]),
            _milliseconds(figures["with_us"]),
            f"{figures['ratio']:,}",
            escape(", ".join(figures["indexes"])),
        )
    console.print(table)


def _milliseconds(microseconds: int) -> str:
    return f"{microseconds / 1000:.2f} ms"


def _closing(verification: Verification) -> str:
    counts = {
        status: sum(verdict.outcome.status is status for verdict in verification.verdicts)
        for status in Status
    }
    told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    return f"{told} in {verification.elapsed_ms / 1000:.1f} s"
