"""The catalog as text: equal for equal schemas, different for each thing that can differ."""

from collections.abc import Iterator

import pytest

from tradewright.migrate.catalog import Change, compare, take_catalog
from tradewright.postgres.connect import Session, connect

BASE = """
CREATE TYPE mood AS ENUM ('calm', 'wild');
CREATE DOMAIN score AS numeric(5, 2) CONSTRAINT score_in_range CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE pair AS (a int, b text);
CREATE TABLE users (
    id uuid CONSTRAINT users_id_is_unique PRIMARY KEY DEFAULT uuidv7(),
    name text NOT NULL,
    mood mood DEFAULT 'calm',
    email text,
    size int CONSTRAINT users_size_positive CHECK (size > 0),
    doubled int GENERATED ALWAYS AS (size * 2) STORED
);
CREATE TABLE orders (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    user_id uuid CONSTRAINT orders_user_exists REFERENCES users,
    at timestamptz NOT NULL
) PARTITION BY RANGE (at);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES FROM ('2026-01-01+00') TO ('2026-02-01+00');
CREATE TABLE notes (note text COLLATE "C");
CREATE INDEX idx_users_name ON users (name) WHERE size > 3;
CREATE INDEX idx_orders_at ON orders (at);
CREATE VIEW names AS SELECT name, mood FROM users;
CREATE MATERIALIZED VIEW sizes AS SELECT size FROM users;
CREATE SEQUENCE tickets;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RETURN NEW;
END
$$;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY own ON users FOR SELECT USING (name = current_user);
CREATE STATISTICS users_name_size ON name, size FROM users;
CREATE RULE quiet AS ON DELETE TO users DO INSTEAD NOTHING;
"""


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """Open a session in a schema that has one object of each kind."""
    with connect(database, schema="shop", autocommit=True) as opened:
        opened.execute("CREATE SCHEMA shop")
        opened.execute(BASE)
        yield opened


CHANGES = [
    ("ALTER TYPE mood ADD VALUE 'odd'", "changed enum mood"),
    ("ALTER DOMAIN score SET NOT NULL", "changed domain score"),
    ("ALTER TYPE pair ADD ATTRIBUTE c int", "added column pair.c"),
    ("ALTER TABLE users ALTER email TYPE varchar(9)", "changed column users.email"),
    ("ALTER TABLE users ALTER name DROP NOT NULL", "changed column users.name"),
    ("ALTER TABLE users ALTER mood SET DEFAULT 'wild'", "changed column users.mood"),
    ("ALTER TABLE users ALTER name SET STATISTICS 500", "changed column users.name"),
    ("ALTER TABLE users ALTER name SET STORAGE EXTERNAL", "changed column users.name"),
    ("ALTER TABLE users ADD extra int", "added column users.extra"),
    ("ALTER TABLE users SET (fillfactor = 70)", "changed table users"),
    ("ALTER TABLE users ENABLE ROW LEVEL SECURITY", "changed table users"),
    ("ALTER TABLE notes SET UNLOGGED", "changed table notes"),
    ("COMMENT ON TABLE users IS 'people'", "changed table users"),
    ("COMMENT ON COLUMN users.name IS 'as written'", "changed column users.name"),
    ("GRANT SELECT ON users TO pg_monitor", "changed table users"),
    ("GRANT UPDATE (name) ON users TO PUBLIC", "changed column users.name"),
    ("ALTER TABLE users OWNER TO pg_monitor", "changed table users"),
    (
        "ALTER TABLE users DROP CONSTRAINT users_size_positive",
        "removed constraint users.users_size_positive",
    ),
    ("DROP INDEX idx_users_name", "removed index idx_users_name"),
    (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_users_name'::regclass",
        "changed index idx_users_name",
    ),
    ("CREATE INDEX extra ON orders_1 (user_id)", "added index extra"),
    ("ALTER TABLE orders DETACH PARTITION orders_1", "changed table orders_1"),
    ("CREATE OR REPLACE VIEW names AS SELECT name, mood, size FROM users", "changed view names"),
    ("ALTER SEQUENCE tickets CACHE 20", "changed sequence tickets"),
    ("ALTER FUNCTION twice(int) IMMUTABLE", "changed function twice(n integer)"),
    ("ALTER FUNCTION touch() SET search_path = shop", "changed function touch()"),
    ("REVOKE EXECUTE ON FUNCTION touch() FROM PUBLIC", "changed function touch()"),
    ("DROP AGGREGATE total(int)", "removed aggregate total(integer)"),
    ("ALTER TABLE users DISABLE TRIGGER touched", "changed trigger users.touched"),
    ("ALTER TABLE users ENABLE ALWAYS TRIGGER touched", "changed trigger users.touched"),
    ("ALTER POLICY own ON users USING (true)", "changed policy users.own"),
    ("ALTER STATISTICS users_name_size SET STATISTICS 50", "changed statistics users_name_size"),
    ("ALTER TABLE users DISABLE RULE quiet", "changed rule users.quiet"),
    ("CREATE EXTENSION citext", "added extension citext"),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO pg_monitor",
        "added default grants r by tradewright",
    ),
    ("GRANT USAGE ON SCHEMA shop TO pg_monitor", "changed schema shop"),
]


@pytest.mark.parametrize(("statement", "first_line"), CHANGES, ids=[each[0] for each in CHANGES])
def test_every_change_of_a_schema_is_seen_and_named(
    session: Session,
    statement: str,
    first_line: str,
) -> None:
    before = take_catalog(session, "shop")
    session.execute("SET allow_system_table_mods = on")
    session.execute(statement)
    differences = compare(before, take_catalog(session, "shop"))
    assert first_line in [each.render().splitlines()[0] for each in differences]


def test_nothing_that_leaves_the_schema_as_it_is_counts(session: Session) -> None:
    before = take_catalog(session, "shop")
    for statement in (
        "INSERT INTO users (name) VALUES ('ann')",
        "SELECT nextval('tickets')",
        "REFRESH MATERIALIZED VIEW sizes WITH NO DATA",
        "ANALYZE",
        "VACUUM FULL users",
        "ALTER TABLE users ADD gone int",
        "ALTER TABLE users DROP gone",
        "GRANT SELECT ON users TO pg_monitor",
        "REVOKE SELECT ON users FROM pg_monitor",
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY)",
        "SET search_path = 'shop', pg_temp",
    ):
        session.execute(statement)
    after = take_catalog(session, "shop")
    assert compare(before, after) == []
    assert before.digest() == after.digest()


def test_a_dropped_and_added_column_at_another_place_counts(session: Session) -> None:
    before = take_catalog(session, "shop")
    session.execute("ALTER TABLE users DROP email; ALTER TABLE users ADD email text")
    changed = {str(each.key) for each in compare(before, take_catalog(session, "shop"))}
    assert "column users.email" in changed


def test_the_members_of_an_extension_are_left_to_it(session: Session) -> None:
    before = take_catalog(session, "shop")
    session.execute("CREATE EXTENSION citext")
    differences = compare(before, take_catalog(session, "shop"))
    assert [(each.change, str(each.key)) for each in differences] == [
        (Change.ADDED, "extension citext"),
    ]


def test_a_changed_object_shows_the_lines_that_went_and_came(session: Session) -> None:
    before = take_catalog(session, "shop")
    session.execute("ALTER TABLE users ALTER email TYPE name")
    shown = "\n".join(each.render() for each in compare(before, take_catalog(session, "shop")))
    assert "    - type: text\n    + type: name" in shown


def test_owners_and_grants_can_be_left_out(session: Session) -> None:
    before = take_catalog(session, "shop").without("owner:", "grant:")
    session.execute("ALTER TABLE users OWNER TO pg_monitor; GRANT SELECT ON users TO PUBLIC")
    assert compare(before, take_catalog(session, "shop").without("owner:", "grant:")) == []


def test_named_relations_are_skipped_with_all_that_belongs_to_them(session: Session) -> None:
    keys = {str(each) for each in take_catalog(session, "shop", skip=["users"]).objects}
    assert not any("users." in each or "idx_users" in each for each in keys)
    assert "table users" not in keys
    assert {"table orders_1", "constraint orders.orders_user_exists"} <= keys
