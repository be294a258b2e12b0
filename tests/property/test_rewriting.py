"""Laws of rewriting: what comes out can be read, and a second rewriting changes nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tradewright.review.rewrite.conversion import converted
from tradewright.review.rewrite.rounds import corrected
from tradewright.review.rewrite.tree import Tree
from tradewright.review.settings import Settings
from tradewright.review.source.statements import read_statements

NAMES = st.sampled_from(
    ["amount", "user_id", "created_at", "risk_score", "note", "order", "Mixed", "price", "is_open"]
)
OURS = st.sampled_from(
    [
        "timestamp NOT NULL DEFAULT now()",
        "timestamp(3)[]",
        "double precision NOT NULL",
        "numeric(5, 2)",
        "numeric(20, 8) CHECK (amount >= 0)",
        "varchar(64) NOT NULL",
        "uuid REFERENCES users (id) ON DELETE CASCADE",
        "serial",
        "datetime",
        "text DEFAULT 'a, (b' -- a comment, with a comma",
        "money",
    ]
)
THEIRS = st.sampled_from(
    [
        "int(11) unsigned NOT NULL DEFAULT 0",
        "tinyint(1) DEFAULT '1' COMMENT 'it''s, (so'",
        "varchar(64) CHARACTER SET utf8",
        "enum('a','b,c') NOT NULL",
        "datetime(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)",
        "double",
        "json",
        "decimal(10,2) unsigned # a comment",
        "char(36) DEFAULT (UUID())",
    ]
)
USERS = "CREATE TABLE users (id uuid PRIMARY KEY);\n"


def columns(kinds: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.dictionaries(NAMES, kinds, min_size=1, max_size=5)


def tree(table: str) -> Tree:
    files = {"001_users.sql": USERS.encode(), "002_payments.sql": table.encode()}
    return Tree(files, Settings())


def covered(given_tree: Tree) -> frozenset[str]:
    return frozenset(given_tree.files)


@settings(max_examples=40, deadline=None)
@given(columns(OURS))
def test_correcting_twice_is_correcting_once(parts: dict[str, str]) -> None:
    inside = "".join(f'    "{name}" {kind}\n    ,\n' for name, kind in parts.items())
    before = tree(f"CREATE TABLE payments (\n{inside}    id uuid PRIMARY KEY\n);\n")
    once = corrected(before, covered(before))
    again = corrected(once.tree, covered(once.tree))
    assert again.fixes == ()
    assert again.tree.files == once.tree.files
    assert all(not read_statements(source).refusals for source in once.tree.sources())
    for fix in once.fixes:
        assert [edit for edit in fix.edits if edit.path != "002_payments.sql"] == []


@settings(max_examples=40, deadline=None)
@given(columns(THEIRS), st.booleans())
def test_converting_twice_is_converting_once(parts: dict[str, str], indexed: bool) -> None:
    inside = "".join(f"  `{name}` {kind}\n  ,\n" for name, kind in parts.items())
    key = f"  KEY `k` (`{next(iter(parts))}`), -- an index\n" if indexed else ""
    end = "  `id` bigint AUTO_INCREMENT PRIMARY KEY\n) ENGINE=InnoDB;\n"
    before = tree(f"CREATE TABLE `payments` (\n{inside}{key}{end}")
    once = converted(before, covered(before))
    assert once.unconverted == ()
    again = converted(once.tree, covered(once.tree))
    assert (again.paths, again.tree.files) == (frozenset(), once.tree.files)
    assert all(not read_statements(source).refusals for source in once.tree.sources())


@settings(max_examples=40, deadline=None)
@given(columns(OURS))
def test_corrections_keep_every_comment_and_every_other_line(parts: dict[str, str]) -> None:
    inside = "".join(f'    "{name}" {kind}\n    ,\n' for name, kind in parts.items())
    before = tree(
        f"-- first\nCREATE TABLE payments (\n{inside}    id uuid PRIMARY KEY\n);\n-- last\n"
    )
    after = corrected(before, covered(before)).tree.files["002_payments.sql"].decode()
    kept = [line for line in after.splitlines() if line.strip().startswith(("--", ",", "id uuid"))]
    old = before.files["002_payments.sql"].decode().splitlines()
    assert kept == [line for line in old if line.strip().startswith(("--", ",", "id uuid"))]
    assert after.count("-- a comment, with a comma") == sum("comment" in k for k in parts.values())
