"""`tradewright views`: reporting views, how old they are, and what stands in them."""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import click

from tradewright.cli import options
from tradewright.cli.risk_output import COUNT
from tradewright.cli.tables import count_of, json_text, plain_text, print_rows
from tradewright.core.csv_rows import write_rows
from tradewright.operations import views
from tradewright.operations.views import Asked, Refresh, Shown, ViewState
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.target import open_database
from tradewright.trading.inquiry import find_user

_COLUMNS = ("name", "rows", "size", "as_of", "age", "overdue", "last_refresh")
_DAY = click.DateTime(["%Y-%m-%d"])
_SPANS = ("age", "age_max", "last_took")
_NAME = click.Choice(sorted(views.VIEWS))


@click.group("views", epilog=options.example("tradewright views show house_result"))
def command() -> None:
    """Show what a broker asks each day, computed ahead, and refresh it.

    The figures are those of the last refresh: each output says as of when they are, in UTC.
    """


@command.command("list", epilog=options.example("tradewright views list"))
@options.with_database
def list_command(asked: options.Asked) -> None:
    """Show every view with its rows, its size, as of when it is, and whether that is too old."""
    with asked.session() as session:
        states = views.list_views(session)
    print_rows(asked, [_facts(asked, state) for state in states], _COLUMNS)


@command.command("refresh", epilog=options.example("tradewright views refresh house_result"))
@click.argument("names", nargs=-1, type=_NAME, metavar="[NAME]...")
@options.with_database
def refresh_command(asked: options.Asked, names: Sequence[str]) -> None:
    """Refresh views beside their readers, or all of them; exit 1 when one of them failed."""
    with open_database(asked.url, asked.keep, makes=False) as database:

        def source() -> Session:
            return connect(
                database.conninfo,
                schema=asked.schema,
                autocommit=True,
                application_name=click.get_current_context().command_path,
            )

        done = views.refresh(source, names) if names else views.refresh_all(source)
    if asked.as_json:
        rows = [asdict(each) for each in done]
        rows = [{**row, "took_seconds": _seconds(row.pop("took"))} for row in rows]
        click.echo(json_text(rows))
    else:
        for each in done:
            click.echo(f"{each.view}: {_told(each)}")
    sys.exit(1 if any(each.error for each in done) else 0)


@command.command(
    "show", epilog=options.example("tradewright views show payment_summary --from 2026-11-01 --csv")
)
@click.argument("name", type=_NAME, metavar="NAME")
@click.option("--from", "since", type=_DAY, help="The first day.")
@click.option("--to", "until", type=_DAY, help="The last day.")
@click.option("--user", help="Only of this user, by id or e-mail address.")
@click.option("--account", type=click.UUID, help="Only of this account.")
@click.option("--symbol", help="Only of this instrument.")
@click.option("--provider", help="Only of this liquidity provider.")
@click.option("--currency", help="Only in this currency.")
@click.option("--last", default=1000, show_default=True, type=COUNT, help="At most so many rows.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
@options.with_database
def show_command(
    asked: options.Asked, *, name: str, user: str | None, last: int, as_csv: bool, **given: Any
) -> None:
    """Show rows of a view, the newest day first, and as of when they are.

    NAME is client_activity, house_result, payment_summary, provider_summary or trading_summary.
    What a view cannot be asked by is refused.
    """
    if asked.as_json and as_csv:
        raise click.UsageError("Give --json or --csv, not both.")
    with asked.session() as session:
        user_id = None if user is None else find_user(session, user).id
        session.commit()
        filters = Asked(user=user_id, **{word: _filter(one) for word, one in given.items()})
        shown = views.read_view(session, name, filters, last)
    if as_csv:
        _write_csv(shown)
    else:
        _print_shown(asked, shown)
    if shown.has_more:
        told = f"only the newest {last} rows are shown: ask for fewer days, or more with --last"
        click.echo(told, err=True)


def _filter(given: Any) -> Any:
    if isinstance(given, datetime):
        return given.date()
    return str(given) if isinstance(given, UUID) else given


def _facts(asked: options.Asked, state: ViewState) -> dict[str, Any]:
    """Return a view for a table, or all that is known of it for a program."""
    if asked.as_json:
        told = asdict(state)
        spans = {f"{name}_seconds": _seconds(told.pop(name)) for name in _SPANS}
        return {**told, **spans}
    return {
        "name": state.name,
        "rows": state.row_count,
        "size": None if state.byte_count is None else f"{state.byte_count // 1024} kB",
        "as_of": state.as_of if state.is_filled else "never filled",
        "age": state.age,
        "overdue": f"yes, may be {state.age_max}" if state.is_overdue else "",
        "last_refresh": f"failed: {state.error}"
        if state.error
        else None
        if state.as_of is None
        else "done",
    }


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else round(span / timedelta(seconds=1), 3)


def _told(done: Refresh) -> str:
    if done.as_of is None or done.took is None:
        return f"failed: {done.error}"
    rows = count_of(done.row_count or 0, "row")
    return f"{rows} as of {_utc(done.as_of)}, in {_seconds(done.took):.3f} s"


def _print_shown(asked: options.Asked, shown: Shown) -> None:
    rows = [dict(zip(shown.columns, row, strict=True)) for row in shown.rows]
    if asked.as_json:
        facts = {"view": shown.state.name, **_facts(asked, shown.state)}
        click.echo(json_text({**facts, "has_more": shown.has_more, "rows": rows}))
        return
    empty = [name for name in shown.columns if rows and all(_is_nothing(row[name]) for row in rows)]
    click.echo(_as_of(shown.state))
    print_rows(asked, rows, [name for name in shown.columns if name not in empty])
    if empty:
        click.echo(f"nothing in: {', '.join(name.replace('_', ' ') for name in empty)}")


def _is_nothing(fact: object) -> bool:
    return fact is None or fact in (0, {})


def _as_of(state: ViewState) -> str:
    """Say as of when the figures are, and whether that is too long ago."""
    age = str(timedelta(seconds=int(state.age.total_seconds())))
    told = f"{state.name} as of {_utc(state.as_of)}, {age} old"
    if not state.is_overdue:
        return told
    return f"OVERDUE: {told}; it may be {state.age_max} old. See tradewright views list."


def _write_csv(shown: Shown) -> None:
    """Write rows that each say as of when they are, because a file is read later and elsewhere."""
    state = shown.state
    click.echo(_as_of(state), err=True)
    told = [_utc(state.as_of), str(state.is_overdue).lower()]
    columns = ["as_of", "is_overdue", *shown.columns]
    write_rows(sys.stdout, columns, ([*told, *row] for row in shown.rows), plain_text)


def _utc(instant: datetime | None) -> str:
    return "" if instant is None else f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
