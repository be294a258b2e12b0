"""The shadow itself: a scratch server of its own, and what of the real one is on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tradewright.migrate import Target, find_migrations, up
from tradewright.migrate.catalog import compare, take_catalog
from tradewright.migrate.rehearsal import rehearse
from tradewright.migrate.shadow import shadow_copy
from tradewright.postgres.connect import Session, connect

Write = Callable[..., Path]

BASE = {
    "_001_base": (
        "CREATE TABLE users (id int PRIMARY KEY, name text, age int);\n"
        "INSERT INTO users SELECT n, repeat('x', 500), n FROM generate_series(1, 40) AS n;\n"
    ),
}


def test_a_shadow_has_the_schema_history_and_roles_but_no_rows(
    write: Write,
    target: Target,
    session: Session,
) -> None:
    folder = write(
        **BASE,
        _002_role='CREATE ROLE "shop clerk";\nGRANT SELECT ON users TO "shop clerk";',
    )
    try:
        up(target, find_migrations(folder))
        with (
            shadow_copy(target, []) as shadow,
            connect(shadow.conninfo, schema="shop", autocommit=True) as copy,
        ):
            assert compare(take_catalog(session, "shop"), take_catalog(copy, "shop")) == []
            assert copy.execute("SELECT count(*) FROM users").fetchone() == (0,)
            assert copy.execute("SELECT count(*) FROM schema_migrations").fetchone() == (2,)
    finally:
        session.execute('DROP OWNED BY "shop clerk"; DROP ROLE "shop clerk"')


def test_a_rehearsal_may_run_in_production(
    write: Write,
    target: Target,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRADEWRIGHT_ENV", "production")
    (file,) = rehearse(target, find_migrations(write(**BASE)))
    assert file.transactional
