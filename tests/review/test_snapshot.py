"""A snapshot near another one says what one of the whole says, whatever was changed."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.migrations.test_catalog import BASE, CHANGES
from tradewright.migrate.catalog import read_parts
from tradewright.postgres.connect import Session, connect
from tradewright.review.prove import snapshot as room
from tradewright.review.prove.snapshot import Snapshot, take_snapshot

ELSEWHERE = """
CREATE SCHEMA store;
CREATE TYPE store.colour AS ENUM ('red');
CREATE DOMAIN store.weight AS numeric(9, 3);
CREATE TABLE store.goods (
    id uuid PRIMARY KEY,
    colour store.colour DEFAULT 'red',
    colours store.colour[] NOT NULL DEFAULT '{red}',
    maker shop.pair,
    weight store.weight,
    owner uuid CONSTRAINT goods_owner_exists REFERENCES shop.users
);
CREATE VIEW store.owned AS
SELECT goods.id, users.name FROM store.goods JOIN shop.users ON users.id = goods.owner;
CREATE VIEW store.names AS SELECT name FROM store.owned;
CREATE VIEW store.same AS SELECT * FROM store.goods AS a JOIN store.names AS b ON true;
CREATE FUNCTION store.first(good store.goods) RETURNS text STABLE
    BEGIN ATOMIC SELECT name FROM store.owned WHERE id = good.id; END;
CREATE TABLE store.labels (label text DEFAULT store.first(NULL));
COMMENT ON TABLE store.goods IS 'what is sold';
"""
"""Things that name other things, in another schema too."""

FAR_REACHING = (
    "ALTER TYPE store.colour RENAME VALUE 'red' TO 'ruby'",
    "ALTER TYPE store.colour RENAME TO hue",
    "ALTER DOMAIN store.weight RENAME TO mass",
    "ALTER TYPE shop.pair RENAME TO couple",
    "ALTER TYPE shop.couple RENAME ATTRIBUTE a TO first",
    "ALTER TABLE shop.users RENAME COLUMN name TO called",
    "ALTER TABLE store.goods RENAME COLUMN id TO good_id",
    "ALTER TABLE shop.users RENAME TO people",
    "ALTER FUNCTION store.first(store.goods) RENAME TO first_of",
    "ALTER TABLE store.goods SET SCHEMA shop",
    "ALTER TABLE shop.orders RENAME TO tickets_sold",
    "ALTER INDEX shop.idx_orders_at RENAME TO idx_tickets_sold_at",
    "ALTER TABLE shop.goods ADD COLUMN name text",
    "ALTER TABLE shop.goods DROP COLUMN weight CASCADE",
    "COMMENT ON TABLE shop.goods IS NULL",
    "ALTER TABLE shop.goods DROP CONSTRAINT goods_owner_exists",
    "ALTER SCHEMA store RENAME TO warehouse",
    "ALTER ROLE tradewright_snapshot RENAME TO tradewright_snapshot_2",
    "DROP VIEW warehouse.owned CASCADE",
    "DROP SCHEMA warehouse CASCADE",
)


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    with connect(database, schema="shop", autocommit=True) as opened:
        opened.execute("CREATE SCHEMA shop")
        opened.execute(BASE)
        opened.execute(ELSEWHERE.encode())
        yield opened


@pytest.fixture
def role(session: Session) -> Iterator[None]:
    session.execute("CREATE ROLE tradewright_snapshot")
    session.execute("GRANT SELECT ON shop.notes TO tradewright_snapshot")
    yield
    for name in ("tradewright_snapshot", "tradewright_snapshot_2"):
        try:
            session.execute(f"DROP OWNED BY {name}".encode())
            session.execute(f"DROP ROLE {name}".encode())
        except psycopg.errors.UndefinedObject:
            continue


def test_it_sees_every_change_and_its_rollback(session: Session) -> None:
    first = take_snapshot(session)
    for statement, _ in CHANGES:
        with session.transaction(force_rollback=True):
            session.execute(statement.encode())
            second = take_snapshot(session, first)
            assert second.catalog() == take_snapshot(session).catalog(), statement
            assert first.differences(second), statement
        assert take_snapshot(session, second).catalog() == first.catalog(), statement


@pytest.mark.usefixtures("role")
def test_it_sees_what_names_reach(session: Session) -> None:
    last = take_snapshot(session)
    for statement in FAR_REACHING:
        session.execute(statement.encode())
        now = take_snapshot(session, last)
        assert now.catalog() == take_snapshot(session).catalog(), statement
        assert last.differences(now), statement
        last = now


def test_it_reads_only_what_was_written(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    first = take_snapshot(session)
    asked: list[int] = []
    read = read_parts

    def counted(session: Session, schema: str, *, only: list[int]) -> object:
        asked.extend(only)
        return read(session, schema, only=only)

    monkeypatch.setattr(room, "read_parts", counted)
    assert take_snapshot(session, first).differences(first) == ()
    assert not asked
    session.execute("CREATE TABLE shop.more (id int)")
    assert take_snapshot(session, first).size == first.size + 2
    assert len(asked) == 1


def test_an_empty_snapshot_differs_by_all(session: Session) -> None:
    whole = take_snapshot(session)
    assert Snapshot().differences(whole)[-1] == f"and {whole.size - 8} more"
