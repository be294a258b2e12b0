"""Writing what a command was asked for into a file; loads nothing that a command may not need."""

from pathlib import Path

import click


def write_output(path: Path, text: str) -> None:
    """Write a text into a file.

    Raises:
        click.UsageError: the place cannot be written.

    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise click.UsageError(f"{path} cannot be written: {error.strerror}") from None
