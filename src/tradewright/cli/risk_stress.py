"""`tradewright risk stress`: what a sudden move of the market would leave; part of `risk`."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import click
from msgspec import structs
from rich.table import Table

from tradewright.cli import options
from tradewright.cli.risk_output import Number
from tradewright.cli.terminal import standard_console
from tradewright.core.errors import ErrorCode, InputError
from tradewright.liquidity.asset_class import AssetClass
from tradewright.liquidity.instrument import Instrument
from tradewright.risk.stress import CASES, AccountOutcome, Scenario, Together
from tradewright.trading.reference import read_instruments
from tradewright.trading.stress import Capital, StressReport, run_stress


def _moves(words: tuple[str, ...]) -> dict[str, Decimal]:
    """Read words such as EURUSD=-5, in percent, as shares."""
    moves: dict[str, Decimal] = {}
    for word in words:
        name, _, percent = word.partition("=")
        try:
            share = Decimal(percent) / 100
        except InvalidOperation:
            raise click.UsageError(f"{word!r} is not NAME=PERCENT") from None
        if not share.is_finite():
            raise click.UsageError(f"{word!r} is not NAME=PERCENT with a finite number")
        if name in moves:
            raise click.UsageError(f"{name!r} is moved twice")
        moves[name] = share
    return moves


def _class_moves(words: tuple[str, ...]) -> dict[AssetClass, Decimal]:
    """Read words such as crypto=-50."""
    moves = _moves(words)
    unknown = sorted(moves.keys() - set(AssetClass))
    if unknown:
        raise click.UsageError(
            f"{unknown[0]!r} is no class of assets: they are {', '.join(AssetClass)}."
        )
    return {AssetClass(name): share for name, share in moves.items()}


@click.command("stress", epilog=options.example("tradewright risk stress --case snb-2015"))
@click.option(
    "--case", "cases", multiple=True, type=click.Choice(sorted(CASES)), help="A historic case."
)
@click.option("--symbol", "symbols", multiple=True, metavar="SYMBOL=PERCENT", help="Move a price.")
@click.option("--class", "classes", multiple=True, metavar="CLASS=PERCENT", help="Move a class.")
@click.option("--against-all", multiple=True, metavar="CURRENCY=PERCENT", help="Move a currency.")
@click.option("--spread", type=Number(), default="1", help="Multiply spreads by this.")
@click.option(
    "--together",
    type=click.Choice(list(Together)),
    help="Prices of a class, or all, move as one by the largest move.",
)
@click.option(
    "--lose",
    multiple=True,
    metavar="PROVIDER[=OWED]",
    help="Lose a provider, and what it owes before the move.",
)
@click.option("--in", "currency", default="USD", show_default=True, help="The house's currency.")
@click.option("--own-funds", type=Number(), help="What the house has of its own.")
@click.option("--required", type=Number(), help="What it must have of its own.")
@options.with_database
def stress_command(  # noqa: PLR0913 (one for each option)
    asked: options.Asked,
    *,
    cases: tuple[str, ...],
    symbols: tuple[str, ...],
    classes: tuple[str, ...],
    against_all: tuple[str, ...],
    spread: Decimal,
    together: Together | None,
    lose: tuple[str, ...],
    **capital: Any,
) -> None:
    """Say what a gap would leave of each account and of the house; nothing is written."""
    moves = (_moves(symbols), _class_moves(classes), _moves(against_all))
    scenario = _scenario(cases, moves, spread)
    own = structs.replace(scenario, together=together, lost=_lost(lose))
    funds = _funds(**capital)
    with asked.session() as session:
        with session.transaction():
            _require_listed(read_instruments(session), own, funds.currency)
        report = run_stress(session, own, capital=funds)
    if asked.as_json:
        click.echo(json.dumps(_facts(report), default=str))
    else:
        _show(report)


def _lost(words: tuple[str, ...]) -> dict[str, Decimal]:
    """Read words such as LP-ONE or LP-ONE=50000."""
    lost: dict[str, Decimal] = {}
    for word in words:
        code, _, owed = word.partition("=")
        try:
            amount = Decimal(owed or "0")
        except InvalidOperation:
            raise click.UsageError(f"{word!r} is not PROVIDER or PROVIDER=OWED") from None
        if not amount.is_finite() or code in lost:
            raise click.UsageError(f"{word!r}: a provider is lost once and owes a finite amount")
        lost[code] = amount
    return lost


def _funds(**given: Any) -> Capital:
    capital = Capital(**given)
    if capital.required is not None and (capital.own_funds is None or capital.required <= 0):
        raise click.UsageError("--required is above 0 and stands beside --own-funds")
    return capital


def _scenario(
    cases: tuple[str, ...],
    moves: tuple[dict[str, Decimal], dict[AssetClass, Decimal], dict[str, Decimal]],
    spread: Decimal,
) -> Scenario:
    """Return the one case that was asked for, or the moves as a scenario of their own."""
    if len(cases) > 1 or (cases and (any(moves) or spread != 1)):
        raise click.UsageError("Give one case, or moves and a spread of your own.")
    if spread < 0:
        raise click.UsageError(f"--spread {spread}: a spread is 0 or wider")
    if cases:
        return CASES[cases[0]]
    symbols, classes, currencies = moves
    return Scenario(
        name="own",
        symbols=symbols,
        classes=classes,
        currencies=currencies,
        spread_factor=spread,
    )


def _require_listed(
    instruments: Mapping[str, Instrument], scenario: Scenario, currency: str
) -> None:
    """Refuse names that nothing is called by: the figures would be those without the move.

    A historic case names all that moved then, traded here or not.

    Raises:
        InputError: INSTRUMENT_UNKNOWN, INPUT_CURRENCY_UNKNOWN.

    """
    is_own = scenario.name not in CASES
    for symbol in scenario.symbols.keys() - instruments.keys() if is_own else ():
        raise _unknown(ErrorCode.INSTRUMENT_UNKNOWN, f'instrument "{symbol}"', instruments)
    pairs = ((one.base_currency, one.quote_currency) for one in instruments.values())
    currencies = {code for pair in pairs for code in pair} | {"USD"}
    for code in {currency, *(scenario.currencies if is_own else ())} - currencies:
        raise _unknown(ErrorCode.INPUT_CURRENCY_UNKNOWN, f'currency "{code}"', currencies)


def _unknown(code: ErrorCode, what: str, known: Iterable[str]) -> InputError:
    return InputError(
        code,
        f"{what} is not traded",
        why=f"These are: {', '.join(sorted(known)) or 'none'}.",
        hint="Name one of them; nothing was computed.",
    )


def _facts(report: StressReport) -> dict[str, Any]:
    names = ("bid", "ask", "bid_after", "ask_after")
    return {
        "case": report.scenario.name,
        "source": report.scenario.source,
        "prices": {
            symbol: dict(zip(names, map(str, four), strict=True))
            | {"quoted_at": str(report.quoted_at[symbol])}
            for symbol, four in report.prices.items()
        },
        "accounts": [_row(one) for one in report.accounts],
        "house": {
            "currency": report.house.currency,
            "pnl": _money(report.house.pnl),
            "forgiven": {code: f"{sum_:.2f}" for code, sum_ in report.forgiven.items()},
            "provider_loss": _money(report.house.provider_loss),
            "unhedged_before": _money(report.house.unhedged_before),
            "unhedged": _money(report.house.unhedged),
            "capital": _money(report.house.capital),
            "capital_ratio": _money(report.house.ratio),
            "capital_shortfall": _money(report.house.shortfall),
        },
    }


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"


def _row(one: AccountOutcome) -> dict[str, Any]:
    row: dict[str, Any] = {"account": one.account_id, "currency": one.currency}
    for name, state in (("before", one.before), ("after", one.after)):
        level = None if state is None else state.level
        row[f"equity_{name}"] = None if state is None else f"{state.equity:.2f}"
        row[f"level_{name}"] = None if level is None else f"{level:.2f}"
    row |= {"is_called": one.is_called, "is_stopped_out": one.is_stopped_out}
    return row | {"negative": f"{one.negative:.2f}", "forgiven": f"{one.forgiven:.2f}"}


def _show(report: StressReport) -> None:
    rows = [_row(one) for one in report.accounts]
    columns = ("account", "currency", "equity_before", "equity_after", "level_after", "negative")
    table = Table(*(column.replace("_", " ") for column in columns))
    for row in rows[:50]:
        table.add_row(*("" if row[one] is None else str(row[one]) for one in columns))
    standard_console().print(table)
    if len(rows) > 50:
        click.echo(f"and {len(rows) - 50} more; --json lists all")
    called = sum(one.is_called for one in report.accounts)
    stopped = sum(one.is_stopped_out for one in report.accounts)
    negative = sum(one.negative > 0 for one in report.accounts)
    click.echo(f"{len(rows)} accounts: {called} called, {stopped} stopped out, {negative} below 0")
    facts = _facts(report)["house"]
    forgiven = ", ".join(f"{sum_} {code}" for code, sum_ in facts["forgiven"].items()) or "nothing"
    currency = facts["currency"]
    click.echo(f"the house: {facts['pnl']} {currency} on its own book, {forgiven} forgiven")
    if report.scenario.lost:
        click.echo(f"lost with providers: {facts['provider_loss']} {currency}")
    before, after = facts["unhedged_before"], facts["unhedged"]
    click.echo(f"unhedged: {before} {currency} before, {after} {currency} after")
    if facts["capital"] is not None:
        share, missing = facts["capital_ratio"], facts["capital_shortfall"]
        ratio = "" if share is None else f", {share} % of what is required"
        click.echo(f"capital: {facts['capital']} {currency}{ratio}, {missing} {currency} missing")
