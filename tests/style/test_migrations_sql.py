"""The migrations keep the house's laws of SQL, read from the files alone."""

from pathlib import Path

import pytest

from tests.style.house import MIGRATIONS, broken
from tests.style.migration_law import (
    Check,
    forbidden_types,
    misnamed_indexes,
    public_names,
    read_migrations,
    statements,
    uncommented_tables,
    unnamed_constraints,
    without_down,
)

LAWS: list[tuple[Check, str, str]] = [
    (
        unnamed_constraints,
        "Every constraint is named after the truth that it keeps.",
        "Write CONSTRAINT and a name that a caller can read before it.",
    ),
    (
        forbidden_types,
        "No float, serial, timestamp without time zone, money or varchar(n).",
        "Use numeric(20, 8), GENERATED ALWAYS AS IDENTITY, timestamptz, or text with a CHECK.",
    ),
    (
        public_names,
        "Nothing is qualified with public: everything lives in one configurable schema.",
        "Leave the schema out; functions pin SET search_path FROM CURRENT.",
    ),
    (
        misnamed_indexes,
        "An index is called idx_<table>_<columns>.",
        "Rename it: its table, its first column, then the others or a word such as _open.",
    ),
]


@pytest.mark.parametrize(("check", "law", "remedy"), LAWS, ids=lambda v: getattr(v, "__name__", ""))
def test_migrations_keep_the_law(check: Check, law: str, remedy: str) -> None:
    migrations = read_migrations(MIGRATIONS)
    offences = [offence for file, parsed in migrations.items() for offence in check(file, parsed)]
    assert not offences, broken(law, "\n".join(offences), remedy)


def test_every_table_has_a_comment() -> None:
    offences = uncommented_tables(read_migrations(MIGRATIONS))
    assert not offences, broken(
        "Every table says in COMMENT ON TABLE what one row of it is.",
        "\n".join(offences),
        "Write COMMENT ON TABLE below the table.",
    )


def test_every_migration_has_its_down() -> None:
    offences = without_down(MIGRATIONS)
    assert not offences, broken(
        "Every migration NNN_name.sql has its NNN_name.down.sql, and every down its migration.",
        "\n".join(offences),
        "Write the down migration, and let it keep the rows that it can keep.",
    )


def test_an_unnamed_constraint_is_found_in_a_column_a_table_and_an_alteration() -> None:
    parsed = statements("""
        CREATE TABLE a (
            id uuid PRIMARY KEY,
            b int NOT NULL CONSTRAINT a_b_positive CHECK (b > 0),
            UNIQUE (b)
        );
        ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (id);
    """)
    assert unnamed_constraints("f", parsed) == [
        "f: a PRIMARY KEY has no name",
        "f: a UNIQUE has no name",
        "f: a FOREIGN KEY has no name",
    ]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("real", "real"),
        ("float", "double precision"),
        ("double precision", "double precision"),
        ("bigserial", "bigserial"),
        ("timestamp", "timestamp without time zone"),
        ("timestamp(3)[]", "timestamp without time zone"),
        ("varchar(20)", "varchar(n)"),
        ("character varying(20)", "varchar(n)"),
    ],
)
def test_a_forbidden_type_is_found(written: str, told: str) -> None:
    parsed = statements(f"CREATE TABLE a (b {written})")
    assert forbidden_types("f", parsed) == [f"f: type {told}"]


def test_a_forbidden_type_is_found_in_a_cast_and_a_parameter() -> None:
    parsed = statements("""
        CREATE VIEW v AS SELECT a::float8 AS b FROM c;
        CREATE FUNCTION f(a timestamp) RETURNS int LANGUAGE sql AS 'SELECT 1';
    """)
    assert forbidden_types("f", parsed) == [
        "f: type double precision",
        "f: type timestamp without time zone",
    ]


def test_the_house_types_pass() -> None:
    parsed = statements(
        "CREATE TABLE a (b timestamptz, c numeric(20, 8), d text, e uuid, f bigint)"
    )
    assert forbidden_types("f", parsed) == []


def test_public_is_found_in_names_types_calls_and_bodies() -> None:
    parsed = statements("""
        CREATE TABLE public.a (b public.mood DEFAULT public.now());
        CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1 FROM public.a';
    """)
    assert public_names("f", parsed) == [
        "f: public.a",
        "f: public.mood",
        "f: public.now",
        "f: a body says public.: SELECT 1 FROM public.a",
    ]


def test_the_role_public_passes() -> None:
    assert public_names("f", statements("REVOKE ALL ON FUNCTION f() FROM PUBLIC")) == []


def test_an_index_that_does_not_name_its_table_and_columns_is_found() -> None:
    parsed = statements("""
        CREATE INDEX orders_by_time ON orders (account_id, created_at);
        CREATE INDEX idx_orders_created_at ON orders (account_id, created_at);
        CREATE INDEX idx_trades_account_id ON orders (account_id);
        CREATE INDEX idx_orders_account_id_created_at ON orders (account_id, created_at);
        CREATE INDEX idx_orders_account_open ON orders (account_id) WHERE is_open;
        CREATE UNIQUE INDEX idx_users_email ON users (lower(email));
    """)
    assert misnamed_indexes("f", parsed) == [
        f'f: index "{name}" should begin with "idx_orders_account"'
        for name in ("orders_by_time", "idx_orders_created_at", "idx_trades_account_id")
    ]


def test_an_index_without_a_name_is_found() -> None:
    assert len(misnamed_indexes("f", statements("CREATE INDEX ON orders (account_id)"))) == 1


def test_a_table_without_comment_is_found_and_a_partition_is_not() -> None:
    migrations = {
        "1": statements("CREATE TABLE a (b int); CREATE TABLE c (d int) PARTITION BY RANGE (d)"),
        "2": statements("""
            COMMENT ON TABLE c IS 'one row is one c';
            CREATE TABLE c_1 PARTITION OF c FOR VALUES FROM (1) TO (2);
        """),
    }
    assert uncommented_tables(migrations) == ["1: table a has no COMMENT ON TABLE"]


def test_a_migration_without_down_and_a_down_without_migration_are_found(tmp_path: Path) -> None:
    for name in ("001_a.sql", "001_a.down.sql", "002_b.sql", "003_c.down.sql"):
        (tmp_path / name).touch()
    assert without_down(tmp_path) == ["002_b.sql: no down", "003_c.down.sql: no up"]
