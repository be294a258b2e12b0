"""Proof of liabilities: every user's proof leads to the root, and nothing altered does."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.floor import refusal
from tradewright.audit.proofs import FORMAT, check_proof
from tradewright.cli.main import cli
from tradewright.core.errors import ErrorCode
from tradewright.ledger.liabilities import Leaf, LiabilityTree, grow_tree, published_roots

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
AMOUNTS = st.lists(st.decimals(Decimal(0), Decimal(10**9), places=8), min_size=1, max_size=20)


def user(number: int) -> str:
    return f"0199c1d2-0000-7000-8000-{number:012x}"


def tree(amounts: list[Decimal]) -> LiabilityTree:
    return grow_tree(
        "USD", NOON, [Leaf(user(n), "USD", a, f"{n:032x}") for n, a in enumerate(amounts)]
    )


def roots(grown: LiabilityTree) -> dict[str, object]:
    return dict(published_roots([grown]))


@given(amounts=AMOUNTS)
def test_every_user_finds_their_money_in_the_published_total(amounts: list[Decimal]) -> None:
    grown = tree(amounts)
    checks = [check_proof(roots(grown), line) for line in grown.proofs()]
    assert [check.reason for check in checks] == [""] * len(amounts)
    assert sum(Decimal(check.amount) for check in checks) == grown.root.total == sum(amounts)


THREE = tree([Decimal(5), Decimal(7), Decimal(11)])


@pytest.mark.parametrize("line", list(THREE.proofs()))
@pytest.mark.parametrize("name", ["user_id", "amount", "nonce", "currency", "format"])
def test_a_proof_with_another_leaf_does_not_hold(line: str, name: str) -> None:
    proof = json.loads(line) | {name: "9.00000000"}
    assert check_proof(roots(THREE), json.dumps(proof)).reason


@pytest.mark.parametrize("line", list(THREE.proofs()))
@pytest.mark.parametrize(
    "change",
    [
        {"total": "8.00000000"},
        {"total": "-7.00000000"},
        {"total": "NaN"},
        {"total": "7.0"},
        {"hash": "00" * 32},
        {"hash": "xyz"},
    ],
)
def test_a_proof_with_an_altered_step_does_not_hold(line: str, change: dict[str, str]) -> None:
    proof = json.loads(line)
    proof["path"][0] |= change
    assert check_proof(roots(THREE), json.dumps(proof)).reason


def test_sums_cannot_be_shifted_between_neighbours() -> None:
    """The attack on trees whose nodes hash only the joint sum."""
    proof = json.loads(next(iter(THREE.proofs())))
    proof["path"][0]["total"] = f"{Decimal(proof['path'][0]['total']) + 1:.8f}"
    proof["amount"] = f"{Decimal(proof['amount']) - 1:.8f}"
    assert check_proof(roots(THREE), json.dumps(proof)).reason


def test_one_leaf_is_no_proof_for_two_users() -> None:
    """A house that may choose the fields' texts could show one leaf to everybody."""
    shared = f"{'0' * 32}|{user(1)}|{user(2)}|USD|5.00000000"
    root = sha256(b"\x00" + shared.encode()).hexdigest()
    published = {
        "format": FORMAT,
        "currencies": {"USD": {"root": root, "total": "5.00000000", "users": 1}},
    }
    for nonce, user_id in (
        (f"{'0' * 32}|{user(1)}", user(2)),
        ("0" * 32, f"{user(1)}|{user(2)}"),
    ):
        proof = {"format": FORMAT, "user_id": user_id, "currency": "USD", "amount": "5.00000000"}
        told = check_proof(published, json.dumps(proof | {"nonce": nonce, "path": []}))
        assert "is not written as" in told.reason


@pytest.mark.parametrize(
    "total", ["Infinity", "-0.00000000", "007.00000000", "1E+3", " 7.00000000"]
)
def test_a_sum_that_is_no_plain_number_is_no_sum(total: str) -> None:
    leaf, beside = f"{'0' * 32}|{user(1)}|USD|5.00000000", sha256(b"").digest()
    digest = sha256(b"\x00" + leaf.encode()).digest()
    both = f"|5.00000000|{Decimal(total):.8f}".encode()
    root = sha256(b"\x01" + digest + beside + both).hexdigest()
    whole = f"{Decimal(total) + 5:.8f}"
    published = {"format": FORMAT, "currencies": {"USD": {"root": root, "total": whole}}}
    proof = {
        "format": FORMAT,
        "user_id": user(1),
        "currency": "USD",
        "amount": "5.00000000",
        "nonce": "0" * 32,
        "path": [{"side": "right", "hash": beside.hex(), "total": total}],
    }
    assert "not written with eight decimals" in check_proof(published, json.dumps(proof)).reason


def test_a_proof_that_says_a_thing_twice_is_none() -> None:
    line = next(iter(THREE.proofs()))
    twice = f'{line[:-1]}, "user_id": "{json.loads(line)["user_id"]}"}}'
    assert not check_proof(roots(THREE), line).reason
    assert check_proof(roots(THREE), twice).reason == "it cannot be read: it says a thing twice"


@pytest.mark.parametrize("side", ["up", "", "RIGHT", None])
def test_a_step_is_to_the_left_or_to_the_right(side: str | None) -> None:
    proof = json.loads(next(iter(THREE.proofs())))
    proof["path"] = [step | {"side": side} for step in proof["path"]]
    assert check_proof(roots(THREE), json.dumps(proof)).reason


@given(count=st.integers(1, 40))
def test_every_number_of_leaves_makes_a_tree_in_which_each_is_found_once(count: int) -> None:
    grown = tree([Decimal(n) for n in range(count)])
    lines = [json.loads(line) for line in grown.proofs()]
    assert {line["user_id"] for line in lines} == {user(n) for n in range(count)}
    assert max(len(line["path"]) for line in lines) == (count - 1).bit_length()
    for line in lines:
        for cut in range(len(line["path"])):
            shorter = line | {"path": line["path"][:cut]}
            assert check_proof(roots(grown), json.dumps(shorter)).reason


def test_another_published_total_or_root_is_noticed() -> None:
    line = next(iter(THREE.proofs()))
    for change in ({"total": "22.00000000"}, {"root": "00" * 32}):
        published = json.loads(json.dumps(roots(THREE)))
        published["currencies"]["USD"] |= change
        assert check_proof(published, line).reason
    assert check_proof({**roots(THREE), "currencies": {}}, line).reason


@pytest.mark.parametrize("line", ["", "{}", "[1]", "null", '{"format": 1}', "[" * 100_000])
def test_what_is_no_proof_is_told_as_such(line: str) -> None:
    assert check_proof(roots(THREE), line).reason


@pytest.mark.parametrize("amount", [Decimal(-1), Decimal("NaN")])
def test_a_leaf_below_zero_is_not_taken(amount: Decimal) -> None:
    leaf = replace(THREE.leaves[0], amount=amount)
    error = refusal(lambda: grow_tree("USD", NOON, [*THREE.leaves, leaf]))
    assert error.code == ErrorCode.INTERNAL_LAW_BROKEN


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "currencies": []}', "\udcff"])
def test_what_is_no_file_of_roots_is_wrong_usage(text: str, tmp_path: Path) -> None:
    roots, proofs = tmp_path / "roots.json", tmp_path / "proofs.jsonl"
    roots.write_text(text, errors="surrogateescape")
    proofs.write_bytes(b"\xff\n")
    told = CliRunner().invoke(cli, ["ledger", "check-proof", str(roots), str(proofs)])
    assert told.exit_code == 2
    assert "is not the roots.json that `tradewright ledger prove` writes" in told.output


def test_a_line_of_proofs_that_is_no_text_does_not_hold(tmp_path: Path) -> None:
    roots, proofs = tmp_path / "roots.json", tmp_path / "proofs.jsonl"
    roots.write_text('{"format": "tradewright-liabilities-1", "currencies": {}}')
    proofs.write_bytes(b"\xff\n")
    told = CliRunner().invoke(cli, ["ledger", "check-proof", str(roots), str(proofs)])
    assert (told.exit_code, told.output.splitlines()[0]) == (1, "0 of 1 proofs hold")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("root:x:0:0:root:/root:/bin/bash", "it is no JSON"),
        ("{}", "it has no 'format'"),
        ("[]", "it holds something else than a proof does"),
    ],
)
def test_a_line_that_is_no_proof_is_told_in_words(line: str, why: str, tmp_path: Path) -> None:
    roots, proofs = tmp_path / "roots.json", tmp_path / "proofs.jsonl"
    roots.write_text('{"format": "tradewright-liabilities-1", "currencies": {}}')
    proofs.write_text(f"{line}\n{line}\n")
    words = ["ledger", "check-proof", str(roots), str(proofs)]
    told = CliRunner().invoke(cli, words).output.splitlines()
    assert told[1:] == [f"line {number}: it cannot be read: {why}" for number in (1, 2)]
