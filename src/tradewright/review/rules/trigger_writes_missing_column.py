"""A trigger's function uses a column that the trigger's table does not have.

The function is created without complaint. Each INSERT or UPDATE of the table then fails with
"record new has no field".

Instead of::

    CREATE TABLE events (id uuid PRIMARY KEY);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
    CREATE TRIGGER events_touch BEFORE UPDATE ON events
        FOR EACH ROW EXECUTE FUNCTION touch();

Use::

    CREATE TABLE events (id uuid PRIMARY KEY, updated_at timestamptz);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
    CREATE TRIGGER events_touch BEFORE UPDATE ON events
        FOR EACH ROW EXECUTE FUNCTION touch();

Not reported when the function looks at TG_TABLE_NAME to tell its tables apart, or the table's
columns are not all known.
"""

from collections.abc import Iterator

from tradewright.review.model import Category, Severity
from tradewright.review.rule import Context, Event, Hit, Rule
from tradewright.review.schema.bodies import Body, hush, new_fields
from tradewright.review.schema.catalog import Routine, Table, Trigger


def _check(context: Context, _: Event) -> Iterator[Hit]:
    for trigger in context.schema.triggers:
        table = context.schema.table(trigger.table)
        routine = next(
            (r for key, r in context.schema.routines.items() if key[1] == trigger.function), None
        )
        if table is None or routine is None or not table.columns_known or not trigger.row:
            continue
        if "tg_table_name" in routine.body.lower() or "tg_relid" in routine.body.lower():
            continue
        yield from _missing(trigger, table, routine)


def _missing(trigger: Trigger, table: Table, routine: Routine) -> Iterator[Hit]:
    quiet = Body(quiet=hush(routine.body), start=routine.body_start)
    known = {name.lower() for name in table.columns}
    reported = set()
    for field, offset in new_fields(quiet):
        if field not in known and field not in reported:
            reported.add(field)
            at = routine.statement.source.locate(offset)
            message = (
                f'trigger "{trigger.name}" fails on every row: its function uses NEW.{field} '
                f'({at.path}:{at.line}), but "{table.full_name}" has no such column'
            )
            advice = f"Add the column {field}, or do not put this trigger on the table."
            yield Hit(
                trigger.statement,
                trigger.statement.start,
                message,
                advice,
                f"{table.full_name}.{field}:{trigger.name}",
            )


RULE = Rule(
    id="trigger-writes-missing-column",
    severity=Severity.CRITICAL,
    category=Category.SECURITY,
    kinds=("schema",),
    check=_check,
    needs="model",
)
