"""How `tradewright demo` prints a day for a person: figures, what happened, laws, one last line."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from rich.table import Table

from tradewright import demo
from tradewright.cli.terminal import standard_console

_Row = tuple[str, str]


def show(summary: demo.DaySummary) -> None:
    """Print what a day came to."""
    console = standard_console()
    console.print(_figures(summary))
    console.print(_happenings(summary))
    console.print(_laws(summary))
    if summary.is_sound:
        console.print(f"all {len(summary.invariants)} laws hold; digest {summary.digest[:16]}")
    else:
        console.print("[bold red]a law is broken[/]: look with `tradewright audit laws`")


def _figures(summary: demo.DaySummary) -> Table:
    table = Table(title="the day", show_header=False, title_justify="left")
    table.add_column()
    table.add_column(justify="right")
    for part in (_market, _orders, _routing, _risk, _money, _pace):
        for row in part(summary):
            table.add_row(*row)
        table.add_section()
    return table


def _market(summary: demo.DaySummary) -> Iterator[_Row]:
    yield "PostgreSQL", summary.postgres_version
    yield "seed", str(summary.seed)
    yield "migration files reviewed", f"{summary.migrations_reviewed['files']:,}"
    yield "quotes read", f"{summary.quotes_read:,}"
    yield from _counts(summary.quotes_refused, "refused: ")


def _orders(summary: demo.DaySummary) -> Iterator[_Row]:
    yield "orders", f"{summary.orders:,}"
    yield from _counts(summary.orders_by_strategy, "strategy: ")
    yield "fills", f"{summary.fills:,}"
    yield from _counts(summary.resting_filled, "waited and dealt: ")
    yield "canceled", f"{summary.canceled:,}"
    yield "  because an alternative dealt", f"{summary.alternatives_canceled:,}"
    yield "denied by us", f"{sum(summary.denied.values()):,}"
    yield from _counts(summary.denied)
    yield "rejected by providers", f"{summary.rejected:,}"
    yield "resting at the end", f"{summary.resting:,}"
    yield "positions open at the end", f"{summary.positions_open:,}"


def _routing(summary: demo.DaySummary) -> Iterator[_Row]:
    for code, asked in summary.provider_requests.items():
        yield f"{code} asked / rejected", f"{asked['asked']:,} / {asked['rejected']:,}"
    yield "hybrid orders decided", f"{sum(summary.routing_decisions.values()):,}"
    yield from _counts(summary.routing_decisions, "by ")
    yield "  to both books", f"{summary.orders_divided:,}"
    yield "hedges of the house", f"{sum(summary.hedges.values()):,}"
    yield from _counts(summary.hedges)
    yield "  result", _sums(summary.hedge_results)


def _risk(summary: demo.DaySummary) -> Iterator[_Row]:
    yield "circuit breakers triggered", f"{summary.breakers_triggered:,}"
    yield "margin calls", f"{summary.margin_calls:,}"
    yield "  resolved", f"{summary.margin_calls_resolved:,}"
    yield "stop-outs", f"{summary.stop_outs:,}"
    yield "negative balances forgiven", _sums(summary.negative_balances_forgiven)
    yield "swaps at 17:00 in New York", f"{summary.swaps:,}"
    yield "  earned less paid", _sums(summary.swap_amounts)


def _money(summary: demo.DaySummary) -> Iterator[_Row]:
    yield "deposits", f"{summary.deposits:,}"
    yield "  money in", _sums(summary.money_in)
    yield "withdrawals", f"{summary.withdrawals:,}"
    yield "  money out", _sums(summary.money_out)
    for how, count in summary.card_payments.items():
        yield f"card payments {how}", f"{count:,}"


def _pace(summary: demo.DaySummary) -> Iterator[_Row]:
    yield "orders per second", f"{summary.orders_per_second:,.0f}"
    yield "latency p50 / p99", "{p50:.1f} / {p99:.1f} ms".format_map(summary.latency_ms)
    found = summary.acknowledged - summary.acknowledged_lost
    yield "acknowledged and found", f"{found:,} of {summary.acknowledged:,}"


def _counts(counts: Mapping[str, int], before: str = "") -> Iterator[_Row]:
    for name, count in counts.items():
        yield f"  {before}{name.replace('_', ' ') if name.islower() else name}", f"{count:,}"


def _sums(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in amounts.items()) or "0"


def _happenings(summary: demo.DaySummary) -> Table:
    title = "what happened, by the market's clock (UTC)"
    table = Table("time", "who", "what", "figures", title=title, title_justify="left", box=None)
    for one in summary.happenings:
        table.add_row(f"{one.at:%H:%M:%S}", one.about, one.what, one.figures)
    return table


def _laws(summary: demo.DaySummary) -> Table:
    table = Table(title="laws", title_justify="left")
    table.add_column("law")
    table.add_column("checked", justify="right")
    table.add_column("broken", justify="right")
    for name, figures in summary.invariants.items():
        style = "bold red" if figures.broken else None
        table.add_row(name, f"{figures.checked:,}", f"{figures.broken:,}", style=style)
    return table
