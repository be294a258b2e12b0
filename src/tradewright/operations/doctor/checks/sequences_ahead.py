"""Each sequence stands at or above the highest number that was given.

After a restore that has lost where it stood, numbers would be given twice.
"""

from psycopg import sql

from tradewright.operations.doctor.model import Check, Finding, Ground, failure, named, ok, unknown
from tradewright.postgres.queries import load_queries


def _run(ground: Ground) -> Finding:
    rows = ground.ask("numbered_columns")
    hidden = [row[2] for row in rows if not row[4]]
    if hidden:
        return unknown(
            f"where they stand cannot be seen: {named(hidden)}",
            why="This role may not read them.",
            hint="Call SELECT grant_engine_rights() as the owner, and be a member of a role.",
        )
    behind = [
        f"{sequence} at {last or 0}, {table}.{column} at {highest}"
        for table, column, sequence, last, _ in rows
        if (highest := _highest(ground, table, column)) > (last or 0)
    ]
    if behind:
        return failure(
            f"behind their columns: {named(behind)}",
            why="The next numbers are taken already: inserts fail, or two rows have one number.",
            hint="Set them: SELECT setval(...) to the highest number of the column.",
        )
    return ok(f"{len(rows)} sequences are ahead of their columns")


def _highest(ground: Ground, table: str, column: str) -> int:
    text = load_queries("tradewright.operations.doctor")["highest_number"]
    names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
    row = ground.session.execute(sql.SQL(text).format(**names)).fetchone()
    return 0 if row is None else int(row[0])


CHECK = Check(
    name="sequences_ahead", title="Sequences are ahead of their columns", run=_run, reads_all=True
)
