"""What a constraint that held says to people: its name is the truth that it keeps.

The server tells of a constraint in the words of its own catalog. Here its name, its table and the
key that the server shows make a sentence; `refusals` says which code it has.
"""

import re

from psycopg.errors import Diagnostic

_KEY = re.compile(r"\((?P<columns>[^()]+)\)=\((?P<values>.*)\)")
"""How the server shows a key; the words around it are in its own language."""


def constraint_words(told: Diagnostic) -> tuple[str, str] | None:
    """Return what and why of a constraint that held, or None where something else was refused.

    A constraint whose name does not begin with its table's is somebody else's: what the server says
    of it stands.
    """
    table, name = told.table_name or "", told.constraint_name or ""
    if not table or not name.removeprefix("idx_").startswith(f"{table}_"):
        return None
    rows, rule = _spaced(table), _spaced(name.removeprefix(f"{table}_"))
    sentences = {
        "23502": (
            f"{rows} refused: {_spaced(told.column_name or 'a value')} is missing",
            "The database keeps none without it.",
        ),
        "23503": (f"{_key(told)} does not exist", f"What {rows} refer to must be there."),
        "23505": (f"{rows} refused: {_key(told)} is there already", "Each is kept once."),
        "23514": (
            f'{rows} refused: "{rule}" would not hold',
            "It holds for all that the database keeps of them.",
        ),
    }
    return sentences.get(told.sqlstate or "")


def _spaced(name: str) -> str:
    return name.replace("_", " ")


def _key(told: Diagnostic) -> str:
    """Return a key as the server shows it, such as: symbol "EURUSD"."""
    found = _KEY.search(told.message_detail or "")
    if found is None:
        return "what was named"
    columns, values = found["columns"].split(", "), found["values"].split(", ")
    if len(columns) != len(values):
        return f'{found["columns"]} "{found["values"]}"'
    pairs = zip(columns, values, strict=True)
    return ", ".join(f'{_spaced(column)} "{value}"' for column, value in pairs)
