"""Proof of liabilities: what the broker owes, as a tree in which each user finds their own money.

A Merkle-sum tree per currency. A leaf is what one user is owed: wallets, free and reserved, and
trading accounts that are not below zero. A node's hash covers the hashes *and the sums* of both
children, so a sum cannot be shifted between them, and nothing negative is taken, so no leaf can
lower the total. The roots are published; each user gets a path, and a secret number that keeps
others from guessing the leaf. Who verifies does not need this module: `audit.proofs` is written
apart from it.
"""

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from operator import itemgetter

from tradewright.core.errors import ErrorCode, InternalError
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries

FORMAT = "tradewright-liabilities-1"
_LEAF, _NODE = b"\x00", b"\x01"


@dataclass(frozen=True, slots=True)
class Leaf:
    """What one user is owed in one currency, with the secret that hides it from others."""

    user_id: str
    currency: str
    amount: Decimal
    nonce: str


@dataclass(frozen=True, slots=True)
class Node:
    """A hash with the sum of all that is below it."""

    digest: bytes
    total: Decimal


@dataclass(frozen=True, slots=True)
class LiabilityTree:
    """One currency's tree: its leaves in order, and its levels from leaves to root.

    `taken_at` is by the database server's clock, just before the snapshot that was read.
    """

    currency: str
    taken_at: datetime
    leaves: Sequence[Leaf]
    levels: Sequence[Sequence[Node]]

    @property
    def root(self) -> Node:
        """The node whose hash and total are published."""
        return self.levels[-1][0]

    def proofs(self) -> Iterator[str]:
        """Yield each user's proof as a line of JSON: the leaf, and the nodes beside its way up."""
        for place, leaf in enumerate(self.leaves):
            yield json.dumps(
                {
                    "format": FORMAT,
                    "user_id": leaf.user_id,
                    "currency": leaf.currency,
                    "amount": f"{leaf.amount:.8f}",
                    "nonce": leaf.nonce,
                    "path": list(self._path(place)),
                }
            )

    def _path(self, place: int) -> Iterator[dict[str, str]]:
        for level in self.levels[:-1]:
            beside = place ^ 1
            if beside < len(level):
                yield {
                    "side": "left" if beside < place else "right",
                    "hash": level[beside].digest.hex(),
                    "total": f"{level[beside].total:.8f}",
                }
            place //= 2


def grow_tree(currency: str, taken_at: datetime, leaves: Sequence[Leaf]) -> LiabilityTree:
    """Return the tree over one currency's leaves, ordered by their hashes and not by user.

    Raises:
        InternalError: INTERNAL_LAW_BROKEN for a negative amount or no leaf at all.

    """
    if not leaves or any(not leaf.amount.is_finite() or leaf.amount < 0 for leaf in leaves):
        raise InternalError(
            ErrorCode.INTERNAL_LAW_BROKEN,
            f"the liabilities in {currency} have no leaf, or one below zero",
            why="A negative leaf would lower the total that is owed to the others.",
            hint="Report this.",
        )
    ranked = sorted(((_leaf_node(leaf), leaf) for leaf in leaves), key=lambda p: p[0].digest)
    levels = [[node for node, _ in ranked]]
    while len(levels[-1]) > 1:
        level = levels[-1]
        pairs = [_join(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
        levels.append(pairs + level[len(pairs) * 2 :])
    return LiabilityTree(currency, taken_at, [leaf for _, leaf in ranked], levels)


def read_liabilities(
    connection: Session, new_nonce: Callable[[], str] = lambda: secrets.token_hex(16)
) -> list[LiabilityTree]:
    """Read what is owed to each user, in one snapshot, and return a tree for each currency."""
    rows = connection.execute(load_queries("tradewright.ledger")["liabilities"]).fetchall()
    return [
        grow_tree(currency, at, [Leaf(row[1], currency, row[2], new_nonce()) for row in part])
        for (currency, at), part in groupby(rows, key=itemgetter(0, 3))
    ]


def published_roots(trees: Sequence[LiabilityTree]) -> Mapping[str, object]:
    """Return what is published: the root, the total and the number of users of each currency."""
    return {
        "format": FORMAT,
        "taken_at": min((tree.taken_at.isoformat() for tree in trees), default=None),
        "currencies": {
            tree.currency: {
                "root": tree.root.digest.hex(),
                "total": f"{tree.root.total:.8f}",
                "users": len(tree.leaves),
            }
            for tree in trees
        },
    }


def _leaf_node(leaf: Leaf) -> Node:
    text = f"{leaf.nonce}|{leaf.user_id}|{leaf.currency}|{leaf.amount:.8f}"
    return Node(sha256(_LEAF + text.encode()).digest(), leaf.amount)


def _join(left: Node, right: Node) -> Node:
    sums = f"|{left.total:.8f}|{right.total:.8f}".encode()
    return Node(
        sha256(_NODE + left.digest + right.digest + sums).digest(), left.total + right.total
    )
