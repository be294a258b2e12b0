# ruff: noqa: S608 (the statements are written to files; nothing sends them to a server)
"""A generated folder of migrations: what a project of some years holds, the same for one seed.

Files create tables, change them, index them, give them functions and triggers, and fill them.
Each statement fits the schema that the earlier files have built, so that a reviewer which keeps
a model of the schema has real work to do; some habits in them are bad on purpose, as in life.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

THINGS = tuple(
    """
    user account order position trade payment invoice session device report quote client
    contract document message provider instrument limit alert ticket
    """.split()  # noqa: SIM905 (words are easier to read than their quotes)
)
QUALITIES = ("open", "daily", "pending", "external", "internal", "archived", "regional", "primary")
COLUMNS = (
    ("amount", "numeric(20, 8) NOT NULL"),
    ("balance", "numeric(20, 8) NOT NULL DEFAULT 0"),
    ("currency", "text NOT NULL"),
    ("status", "text NOT NULL DEFAULT 'new'"),
    ("email", "varchar(200)"),
    ("quantity", "numeric(20, 8)"),
    ("is_active", "boolean NOT NULL DEFAULT true"),
    ("settled_at", "timestamptz"),
    ("expires_at", "timestamp"),
    ("metadata", "jsonb NOT NULL DEFAULT '{}'"),
    ("attempts", "integer NOT NULL DEFAULT 0"),
    ("reference", "text"),
    ("price", "double precision"),
    ("country", "char(2)"),
    ("score", "integer"),
)


@dataclass(slots=True)
class _Table:
    name: str
    columns: list[str]
    serial: int = 0

    def next_number(self) -> int:
        """Return a number that no object of this table carries yet."""
        self.serial += 1
        return self.serial


@dataclass(slots=True)
class _Project:
    """The schema as the files written so far have built it."""

    random: Random
    tables: list[_Table] = field(default_factory=list)

    def any_table(self) -> _Table:
        return self.random.choice(self.tables)

    def new_table(self) -> _Table:
        name = f"{self.random.choice(QUALITIES)}_{self.random.choice(THINGS)}s"
        table = _Table(f"{name}_{len(self.tables) + 1}", ["id", "created_at"])
        self.tables.append(table)
        return table


def write_corpus(folder: Path, *, files: int, statements: int, seed: int) -> None:
    """Write `files` migrations with exactly so many statements into an empty folder."""
    project = _Project(Random(seed))  # noqa: S311 (a corpus, not a secret)
    themes: tuple[tuple[str, _Theme], ...] = (
        ("create", _creates),
        ("alter", _alters),
        ("index", _indexes),
        ("program", _programs),
        ("fill", _fills),
    )
    for number in range(files):
        wanted = statements * (number + 1) // files - statements * number // files
        name, theme = themes[0] if number < 5 else project.random.choice(themes)
        parts = islice(theme(project), wanted)
        head = f"-- {name} {number + 1}: part of the yearly plan\n"
        if theme is _indexes:
            head += "-- tradewright: no-transaction\n"
        text = head + "\n" + "\n\n".join(parts) + "\n"
        (folder / f"{number + 1:04}_{name}.sql").write_text(text, "utf-8")


_Theme = Callable[[_Project], Iterator[str]]


def _creates(project: _Project) -> Iterator[str]:
    """Create tables, each with indexes on it and comments."""
    while True:
        parent = project.any_table() if project.tables else None
        table = project.new_table()
        yield _create_table(project, table, parent)
        yield f"COMMENT ON TABLE {table.name} IS 'What the business keeps of its {table.name}.';"
        if parent is not None:
            yield f"CREATE INDEX idx_{table.name}_parent_id ON {table.name} (parent_id);"
        for column in table.columns[2:5]:
            yield (
                f"COMMENT ON COLUMN {table.name}.{column} IS\n"
                f"    'The {column} as the provider told it, never changed afterwards.';"
            )


def _create_table(project: _Project, table: _Table, parent: _Table | None) -> str:
    chosen = project.random.sample(COLUMNS, project.random.randint(4, 10))
    table.columns += [name for name, _ in chosen]
    lines = ["id uuid PRIMARY KEY DEFAULT uuidv7()"]
    if parent is not None:
        table.columns.append("parent_id")
        lines.append(f"parent_id uuid NOT NULL REFERENCES {parent.name} (id) ON DELETE RESTRICT")
    lines += [f"{name} {kind}" for name, kind in chosen]
    lines.append("created_at timestamptz NOT NULL DEFAULT now()")
    if "amount" in table.columns:
        lines.append(f"CONSTRAINT {table.name}_amount_positive CHECK (amount > 0)")
    if "status" in table.columns:
        lines.append(
            f"CONSTRAINT {table.name}_status_known\n"
            "        CHECK (status IN ('new', 'open', 'done', 'failed', 'cancelled'))"
        )
    return f"CREATE TABLE {table.name} (\n    " + ",\n    ".join(lines) + "\n);"


def _alters(project: _Project) -> Iterator[str]:
    """Add columns and constraints to tables that are there, then fill and validate."""
    while True:
        table = project.any_table()
        number = table.next_number()
        note, check = f"note_{number}", f"{table.name}_note_{number}_short"
        yield (
            f"ALTER TABLE {table.name}\n    ADD COLUMN {note} text,\n"
            f"    ADD COLUMN by_{number} uuid;"
        )
        yield (
            f"ALTER TABLE {table.name}\n    ADD CONSTRAINT {check}\n"
            f"    CHECK (length({note}) <= 200) NOT VALID;"
        )
        yield f"UPDATE {table.name} SET {note} = '' WHERE {note} IS NULL AND id > uuidv7();"
        yield f"ALTER TABLE {table.name} VALIDATE CONSTRAINT {check};"
        yield f"ALTER TABLE {table.name} ALTER COLUMN {note} SET DEFAULT 'none';"
        table.columns.append(note)


def _indexes(project: _Project) -> Iterator[str]:
    """Build indexes without blocking: plain, composite, partial and on an expression."""
    while True:
        table = project.any_table()
        number = table.next_number()
        column, other = project.random.sample(table.columns, 2)
        name = f"idx_{table.name}_{number}"
        kind = project.random.randrange(4)
        inside = (column, f"{column}, {other} DESC", column, f"lower({column}::text)")
        where = f"\n    WHERE {other} IS NOT NULL" if kind == 2 else ""
        yield f"CREATE INDEX CONCURRENTLY {name}\n    ON {table.name} ({inside[kind]}){where};"


def _programs(project: _Project) -> Iterator[str]:
    """Create functions with their triggers, comments and grants."""
    while True:
        table = project.any_table()
        name = f"touch_{table.name}_{table.next_number()}"
        column = project.random.choice(table.columns)
        yield _FUNCTION.format(name=name, table=table.name, column=column)
        yield (
            f"CREATE TRIGGER {name}\n    BEFORE UPDATE ON {table.name}\n"
            f"    FOR EACH ROW EXECUTE FUNCTION {name}();"
        )
        yield f"COMMENT ON FUNCTION {name}() IS 'Keeps {table.name} in step with its events.';"
        yield f"GRANT SELECT, INSERT ON {table.name} TO reporting;"


_FUNCTION = """\
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    known_count bigint;
BEGIN
    SELECT count(*) INTO known_count FROM {table} WHERE id = NEW.id;
    IF known_count = 0 THEN
        RAISE EXCEPTION 'row % of {table} is not known', NEW.id;
    END IF;
    IF NEW.{column} IS DISTINCT FROM OLD.{column} THEN
        UPDATE {table} SET created_at = clock_timestamp() WHERE id = NEW.id;
    END IF;
    RETURN NEW;
END;
$$;"""


def _fills(project: _Project) -> Iterator[str]:
    """Insert rows, correct some, and show the rest in a view."""
    while True:
        table = project.any_table()
        column = project.random.choice(table.columns[2:])
        rows = ",\n    ".join(
            f"(uuidv7(), '{project.random.randint(1, 9999)}')"
            for _ in range(project.random.randint(2, 12))
        )
        yield f"INSERT INTO {table.name} (id, {column}) VALUES\n    {rows};"
        yield (
            f"UPDATE {table.name} SET {column} = '{project.random.randint(1, 99)}'\n"
            f"    WHERE created_at < '2024-01-01T00:00:00Z' AND {column} IS NULL;"
        )
        view = f"{table.name}_view_{table.next_number()}"
        yield (
            f"CREATE VIEW {view} AS\n    SELECT t.id, t.{column}, count(*) AS rows_count\n"
            f"    FROM {table.name} AS t\n    WHERE t.{column} IS NOT NULL\n"
            f"    GROUP BY t.id, t.{column};"
        )
