"""What a project declares for its verification, in a folder `verify` beside its migrations.

`functions.sql` holds named queries: `prepare_...` run once; `call_...` are called by several
sessions at once, in turn, with `%(worker)s`, `%(round)s` and `%(key)s` (a new uuid);
`law_...` must return no row afterwards. `queries.sql` holds `fill_...`, run once with `%(rows)s`,
and the declared queries under any other name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tradewright.core.errors import ErrorCode, InputError, InternalError
from tradewright.postgres.queries import read_queries

FOLDER = "verify"


@dataclass(frozen=True, slots=True)
class Declared:
    """Named queries by their names, in the order of the files."""

    functions: Mapping[str, str] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)

    def functions_named(self, beginning: str) -> dict[str, str]:
        """Return the queries of functions.sql whose names begin so."""
        return {n: text for n, text in self.functions.items() if n.startswith(beginning)}

    def fills(self) -> dict[str, str]:
        """Return what fills the tables before queries are measured."""
        return {n: text for n, text in self.queries.items() if n.startswith("fill_")}

    def measured(self) -> dict[str, str]:
        """Return the declared queries."""
        return {n: text for n, text in self.queries.items() if not n.startswith("fill_")}


def read_declared(migrations: Path) -> Declared:
    """Return what stands in `verify` in the folder of the migrations, or beside it.

    Raises:
        InputError: INPUT_VERIFY_FILE_MALFORMED.

    """
    for folder in (migrations / FOLDER, migrations.parent / FOLDER):
        if folder.is_dir():
            return Declared(_read(folder / "functions.sql"), _read(folder / "queries.sql"))
    return Declared()


def _read(path: Path) -> Mapping[str, str]:
    if not path.is_file():
        return {}
    try:
        return read_queries(path.read_text("utf-8"), path.name)
    except (InternalError, UnicodeDecodeError) as error:
        raise InputError(
            ErrorCode.INPUT_VERIFY_FILE_MALFORMED,
            f'file "{path}" cannot be read as named queries',
            why=str(error),
            hint="Write `-- name: call_credit`, a line of purpose, and one statement with its "
            "semicolon.",
            facts={"path": path},
        ) from error
