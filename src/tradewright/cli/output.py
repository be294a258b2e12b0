"""Writing what a command was asked for into a file; loads nothing that a command may not need."""

from collections.abc import Sequence
from pathlib import Path

import click

from tradewright.core.errors import ErrorCode, InputError


def write_output(path: Path, text: str) -> None:
    """Write a text into a file.

    Raises:
        click.UsageError: the place cannot be written.

    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None


def refuse_to_overwrite(paths: Sequence[Path], hint: str) -> None:
    """Refuse when one of the files exists.

    Raises:
        InputError: INPUT_OUTPUT_EXISTS.

    """
    for path in paths:
        if path.exists():
            raise InputError(
                ErrorCode.INPUT_OUTPUT_EXISTS,
                f'file "{path}" exists',
                why="Nothing was written.",
                hint=hint,
                facts={"path": path},
            )
