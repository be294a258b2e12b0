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
    routines: dict[str, Routine] = {}
    for key, routine in context.schema.routines.items():
        routines.setdefault(key[1], routine)
    for trigger in context.schema.triggers:
        yield from _judge(context, trigger, routines.get(trigger.function))


def _judge(context: Context, trigger: Trigger, routine: Routine | None) -> Iterator[Hit]:
    table = context.schema.table(trigger.table)
    if table is None or routine is None or not table.columns_known or not trigger.row:
        return
    lowered = routine.body.lower()
    if "tg_table_name" not in lowered and "tg_relid" not in lowered:
        yield from _missing(trigger, table, routine)


def _missing(trigger: Trigger, table: Table, routine: Routine) -> Iterator[Hit]:
    known = {name.lower() for name in table.columns}
    loud = Body(quiet=routine.body, start=routine.body_start)
    if all(field in known for field, _ in new_fields(loud)):
        return
    reported = set()
    quiet = Body(quiet=hush(routine.body), start=routine.body_start)
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
