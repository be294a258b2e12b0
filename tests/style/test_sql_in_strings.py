"""No SQL inside Python strings: queries live in queries.sql, under a name and a purpose.

There a test prepares each against the migrated schema. What names no table (`SELECT 1`,
`SELECT set_config(...)`, `SET LOCAL ...`) is trivial and may stay. The rooms whose subject is SQL
itself are let off.
"""

import ast
import re
from pathlib import Path

from tests.style.house import (
    PACKAGE,
    allowances,
    broken,
    check_files,
    docstrings,
    python_files,
    shown,
    syntax,
)

ROOMS_ABOUT_SQL = ("postgres", "migrate", "review", "bench")

STATEMENT = re.compile(
    r"""\s*(
        SELECT\b.*\bFROM\b
      | INSERT\s+INTO\b
      | UPDATE\s+(ONLY\s+)?\S+\s+(AS\s+)?(\w+\s+)?SET\b
      | DELETE\s+FROM\b
      | MERGE\s+INTO\b
      | WITH\s+(RECURSIVE\s+)?[\w"]+\s*(\([^)]*\)\s*)?AS\s+(NOT\s+MATERIALIZED\s+)?\(
      | (CREATE|ALTER|DROP)\s+([A-Z]+\s+){0,4}
        (TABLE|INDEX|SCHEMA|FUNCTION|PROCEDURE|TRIGGER|TYPE|ROLE|VIEW|SEQUENCE|POLICY|DATABASE)\b
      | TRUNCATE\s+(TABLE\b|[a-z_"])
      | COPY\s+.*\b(FROM|TO)\s+(STDIN|STDOUT)\b
    )""",
    re.VERBOSE | re.DOTALL,
)


def text_of(node: ast.expr) -> str:
    """Return a string literal's text; what an f-string computes is shown as a name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "_" for part in node.values)
    return ""


def sql_in_strings(path: Path) -> list[str]:
    """Return the string literals of a file that are SQL statements; docstrings are not."""
    tree = syntax(path)
    skipped = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values)
    literals = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped
    )
    return [
        f"{shown(path)}:{node.lineno}: {' '.join(text_of(node).split())[:60]}"
        for node in literals
        if is_statement(text_of(node))
    ]


def is_statement(text: str) -> bool:
    """Say whether a text is a statement: its keywords in capitals, or all in small letters."""
    return bool(STATEMENT.match(text) or (text.islower() and STATEMENT.match(text.upper())))


def test_no_sql_stands_in_a_python_string() -> None:
    rooms = tuple(PACKAGE / room for room in ROOMS_ABOUT_SQL)
    files = [p for p in python_files(PACKAGE) if not any(p.is_relative_to(room) for room in rooms)]
    offences = check_files(files, sql_in_strings, allowed=allowances("sql_in_strings"))
    assert not offences, broken(
        "No SQL stands inside a Python string.",
        offences,
        "Move it to the room's queries.sql under a name and a line of purpose.",
    )


def test_statements_are_found_in_plain_and_formatted_strings(tmp_path: Path) -> None:
    path = tmp_path / "store.py"
    path.write_text(
        'a = "SELECT id FROM orders"\n'
        'b = f"UPDATE {table} SET quantity = 1"\n'
        'c = """\n    WITH open AS (SELECT 1) SELECT * FROM open"""\n'
        'd = "create index concurrently orders_at on orders (at)"\n'
        'e = "DELETE FROM orders"\n'
        'f = "COPY orders (id) FROM STDIN"\n'
    )
    lines = [offence.split(":")[1] for offence in sql_in_strings(path)]
    assert lines == ["1", "2", "3", "5", "6", "7"]


def test_prose_docstrings_and_trivial_statements_pass(tmp_path: Path) -> None:
    path = tmp_path / "store.py"
    path.write_text(
        '"""SELECT id FROM orders, as the docstring shows."""\n'
        'a = "Select the order from the list."\n'
        'b = "SELECT 1"\n'
        "c = \"SELECT set_config('app.actor', %s, true)\"\n"
        'd = "UPDATE"\n'
        'e = "WITH care"\n'
        'f = "update the price and set it"\n'
        'g = "DROP what is not needed"\n'
    )
    assert sql_in_strings(path) == []
