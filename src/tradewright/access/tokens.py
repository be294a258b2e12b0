"""What a key looks like, and how it is compared: its id in front, 256 bits of chance behind.

    twk_0199c1d27f0a7e3b9a51…  a key of the interface     twk_ + 32 digits of its id + 64 of chance
    tws_0199c1d27f0a7e3b9a51…  a session of the console   tws_ + the same

The prefix lets scanners find one that was put where it does not belong. The row is found by the id,
so that what is compared is compared in constant time; a hash of chance needs no salt and no delay.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from uuid import UUID

from tradewright.core.ids import new_id

KEY = "twk_"
SESSION = "tws_"
_SECRET_BYTES = 32
_FORM = re.compile("(tw[ks]_)([0-9a-f]{32})([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret that was made or shown: its id, its text, and what is kept of it."""

    id: str
    text: str
    hash: bytes

    def __repr__(self) -> str:
        return f"Secret(id={self.id!r})"


def new_secret(prefix: str) -> Secret:
    """Return a new secret with a new id."""
    row_id = new_id()
    chance = secrets.token_bytes(_SECRET_BYTES)
    return _secret(prefix, row_id, chance.hex())


def read_secret(prefix: str, text: str) -> Secret | None:
    """Return the secret that somebody shows; None when it has not the form of one."""
    found = _FORM.fullmatch(text)
    if found is None or found[1] != prefix:
        return None
    return _secret(prefix, UUID(found[2]), found[3])


def matches(shown: Secret, kept: bytes) -> bool:
    """Return whether a secret is the one whose hash is kept, in a time that says nothing."""
    return hmac.compare_digest(shown.hash, kept)


def _secret(prefix: str, row_id: UUID, chance: str) -> Secret:
    digest = hashlib.sha256(bytes.fromhex(chance)).digest()
    return Secret(str(row_id), f"{prefix}{row_id.hex}{chance}", digest)
