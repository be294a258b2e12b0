"""Verify that a proof of liabilities leads to a published root: for users and auditors.

Written apart from what makes the proofs, and small enough to be read and written again in another
language: it needs sha256 and exact decimals, no database and nothing else of this house. The format
is told in docs/explain/proof-of-liabilities.md.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any

FORMAT = "tradewright-liabilities-1"
_SHAPES = {
    "nonce": "[0-9a-f]{32}",
    "user_id": "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "currency": "[A-Z0-9]{2,10}",
}
"""How a leaf's fields are written: with any text in them, one leaf could be read as two users'."""
_HASH = "[0-9a-f]{64}"
_SUM = r"(0|[1-9][0-9]{0,19})\.[0-9]{8}"


@dataclass(frozen=True, slots=True)
class ProofCheck:
    """Whose money a proof shows, and why it does not hold; no reason is a proof that holds."""

    user_id: str
    currency: str
    amount: str
    reason: str


def check_proof(roots: Mapping[str, Any], line: str) -> ProofCheck:
    """Check one user's proof, a line of JSON, against the published roots."""
    try:
        proof = json.loads(line, object_pairs_hook=_said_once)
        reason = _reason(roots, proof)
        return ProofCheck(proof["user_id"], proof["currency"], proof["amount"], reason)
    except (ValueError, KeyError, TypeError, InvalidOperation, RecursionError) as error:
        return ProofCheck("", "", "", f"it cannot be read: {_said(error)}")


def _said_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names stand in it once: readers differ in which of two they take."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it says a thing twice")
    return found


def _said(error: Exception) -> str:
    """Return in words why a line is no proof."""
    if isinstance(error, json.JSONDecodeError):
        return "it is no JSON"
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]!r}"
    if isinstance(error, ValueError):
        return str(error)
    return "it holds something else than a proof does"


def _reason(roots: Mapping[str, Any], proof: Mapping[str, Any]) -> str:
    if {roots["format"], proof["format"]} != {FORMAT}:
        return f"its format is not {FORMAT}"
    published = roots["currencies"].get(proof["currency"])
    if published is None:
        return f"no root is published for {proof['currency']}"
    for name, shape in _SHAPES.items():
        _require_shape(name, proof[name], shape)
    total = _sum(proof["amount"])
    leaf = "|".join((proof["nonce"], proof["user_id"], proof["currency"], proof["amount"]))
    digest = sha256(b"\x00" + leaf.encode()).digest()
    for step in proof["path"]:
        _require_shape("side", step["side"], "left|right")
        beside = (_hash(step["hash"]), _sum(step["total"]))
        pair = ((digest, total), beside)
        left, right = pair if step["side"] == "right" else pair[::-1]
        sums = f"|{left[1]:.8f}|{right[1]:.8f}".encode()
        digest, total = sha256(b"\x01" + left[0] + right[0] + sums).digest(), left[1] + right[1]
    if digest.hex() != published["root"]:
        return "it leads to another root than the published one"
    if total != _sum(published["total"]):
        return "it leads to another total than the published one"
    return ""


def _sum(text: str) -> Decimal:
    """Return an amount that is a number, not negative, and written as it is hashed."""
    if not re.fullmatch(_SUM, text):
        raise ValueError(f"amount {text!r} is negative or not written with eight decimals")
    return Decimal(text)


def _hash(text: str) -> bytes:
    _require_shape("hash", text, _HASH)
    return bytes.fromhex(text)


def _require_shape(name: str, text: str, shape: str) -> None:
    if not re.fullmatch(shape, text):
        raise ValueError(f"{name} {text!r} is not written as {name}s are")
