"""Options that several commands take: which database, which schema, and JSON."""

from pathlib import Path

import click

DATABASE = click.option(
    "--database",
    metavar="URL",
    envvar="DATABASE_URL",
    help="The database, as postgresql://user:password@host:port/name.  [env: DATABASE_URL]",
)
KEEP = click.option(
    "--keep",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Use an embedded server whose data stays in FOLDER.",
)
SCHEMA = click.option("--schema", default="tradewright", show_default=True, help="The schema.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
