"""The migrations that this package brings: each way back restores the catalog before it."""

from dataclasses import replace

import pytest

from tradewright.migrate import Target, down, find_migrations, our_migrations, up
from tradewright.migrate.catalog import Catalog, compare, take_catalog
from tradewright.migrate.upkeep import find_drift
from tradewright.postgres.connect import connect


def _catalog(target: Target) -> Catalog:
    with connect(target.conninfo, schema=target.schema, autocommit=True) as session:
        return take_catalog(session, target.schema)


def test_each_way_back_restores_the_catalog_that_it_found(target: Target) -> None:
    patient = replace(target, schema="tradewright")
    migrations = find_migrations(our_migrations(), gaps_allowed=False)
    for migration in migrations:
        before = _catalog(patient)
        up(patient, migrations, to=migration.version)
        after = _catalog(patient)
        down(patient, migrations)
        differences = compare(before, _catalog(patient))
        if migration.version > 1:  # the first up also makes the schema, which stays
            assert differences == [], [each.render() for each in differences]
        up(patient, migrations, to=migration.version)
        again = compare(after, _catalog(patient))
        assert again == [], [each.render() for each in again]


def test_all_of_them_live_in_whatever_schema_is_asked_for(target: Target) -> None:
    migrations = find_migrations(our_migrations())
    other = replace(target, schema="other broker")
    up(other, migrations)
    assert len(down(other, migrations, to=0)) == len(migrations)


@pytest.mark.usefixtures("lent_scratch_server")
def test_views_that_were_filled_since_are_no_drift_and_go_away_with_their_migration(
    target: Target,
) -> None:
    patient, migrations = replace(target, schema="tradewright"), find_migrations(our_migrations())
    up(patient, migrations, to=9)
    before = _catalog(patient)
    up(patient, migrations, to=10)
    with connect(patient.conninfo, schema=patient.schema, autocommit=True) as session:
        session.execute("SELECT refresh_reporting_view(name) FROM reporting_views")
        assert session.execute("SELECT count(*) FROM house_result").fetchone() == (0,)
        assert find_drift(patient, migrations) == []
        session.execute("DROP INDEX idx_house_result_trading_day_currency")
        (lost,) = find_drift(patient, migrations)
        assert str(lost.key) == "index idx_house_result_trading_day_currency"
    down(patient, migrations, to=9)
    assert compare(before, _catalog(patient)) == []
