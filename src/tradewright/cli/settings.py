"""What commands that change settings share: who and why, and options made of a setting's fields.

The options follow the fields of a struct, so a setting that is added is offered here with no more
than its line of help. What is not given stays as it was.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from enum import Enum
from functools import update_wrapper
from types import UnionType
from typing import Any, Union, get_args, get_origin

import click
import psycopg
from msgspec import Struct
from msgspec.structs import fields

from tradewright.audit import acting_as
from tradewright.cli import options
from tradewright.cli.risk_output import ACTOR, REASON, Number
from tradewright.cli.settings_help import FIELD_HELP
from tradewright.postgres.connect import Session
from tradewright.postgres.refusals import translate

Command = Callable[..., None]


@contextmanager
def changing(asked: options.Asked, actor: str, reason: str) -> Iterator[Session]:
    """Give a session in a transaction of its own that is kept under an actor and a reason.

    Raises:
        TradewrightError: what the database refuses.

    """
    with asked.session() as session:
        try:
            with session.transaction():
                acting_as(session, actor, reason=reason)
                yield session
        except psycopg.Error as error:
            raise translate(error) from error


def by_whom_and_why(function: Command) -> Command:
    """Add --actor and --reason."""
    return ACTOR(REASON(function))


def with_fields(kind: type[Struct], *, but: frozenset[str]) -> Callable[[Command], Command]:
    """Add an option for each field of a struct, and hand over as `changes` those that are given.

    Enums take one of their values, numbers a number, yes or no two flags, a pair of numbers two
    words; a field that may be empty is emptied by --without and its name.
    """
    named = {one.name: one.type for one in fields(kind) if one.name not in but}
    made = [_option(name, type_) for name, type_ in named.items()]
    empty = [_word(name) for name, type_ in named.items() if type(None) in get_args(type_)]
    if empty:
        made.append(
            click.option("--without", multiple=True, type=click.Choice(empty), help="Empty it.")
        )

    def decorate(function: Command) -> Command:
        def command(*, without: tuple[str, ...] = (), **given: Any) -> None:
            rest = {name: value for name, value in given.items() if name not in named}
            changes = {
                name: _value(type_, given[name])
                for name, type_ in named.items()
                if given[name] is not None
            }
            function(changes=changes | _emptied(without, changes), **rest)

        update_wrapper(command, function)
        for option in reversed(made):
            command = option(command)
        return command

    return decorate


def _emptied(without: tuple[str, ...], changes: Mapping[str, Any]) -> dict[str, None]:
    """Return the fields that are to be emptied; refuse one that is given a value too."""
    emptied = {name.replace("-", "_"): None for name in without}
    for name in changes.keys() & emptied:
        raise click.UsageError(f"--{_word(name)} and --without {_word(name)}: give one.")
    return emptied


def _word(name: str) -> str:
    return name.removeprefix("is_").replace("_", "-")


def _bare(type_: Any) -> Any:
    """Return the type of a field without its None."""
    if get_origin(type_) in (Union, UnionType):
        return next(one for one in get_args(type_) if one is not type(None))
    return type_


def _option(name: str, type_: Any) -> Callable[[Command], Command]:
    word, bare, told = _word(name), _bare(type_), FIELD_HELP.get(name)
    if bare is bool:
        return click.option(f"--{word}/--no-{word}", name, default=None, help=told)
    if isinstance(bare, type) and issubclass(bare, Enum):
        choice = click.Choice([str(one.value) for one in bare])
        return click.option(f"--{word}", name, type=choice, help=told)
    if isinstance(bare, type) and issubclass(bare, Struct):
        pair = tuple(Number() for _ in fields(bare))
        metavar = " ".join(one.name.upper() for one in fields(bare))
        return click.option(f"--{word}", name, type=pair, metavar=metavar, help=told)
    kinds: dict[Any, Any] = {Decimal: Number(), int: click.INT}
    return click.option(f"--{word}", name, type=kinds.get(bare, click.STRING), help=told)


def _value(type_: Any, given: Any) -> Any:
    bare = _bare(type_)
    if isinstance(bare, type) and issubclass(bare, Struct):
        return bare(*given)
    return bare(given)


def shown(setting: Struct) -> dict[str, Any]:
    """Return a setting as facts to print; two numbers as a list of them."""
    facts = {one.name: getattr(setting, one.name) for one in fields(setting)}
    return {
        name: [getattr(fact, one.name) for one in fields(fact)]
        if isinstance(fact, Struct)
        else fact
        for name, fact in facts.items()
    }
