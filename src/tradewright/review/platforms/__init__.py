"""What hosting platforms bring before the first migration: schemas that files name and never make.

A folder tells its platform by what it names. Where it does, a few lines of SQL stand before its
first file as if they had been given as `schema`, unless the settings give one.
"""

import re
from collections.abc import Iterable
from importlib.resources import as_file, files

from tradewright.review.source.layouts import read_standing
from tradewright.review.source.text import Source

PLATFORM = "platform"
"""The label of such a source; it says nothing about where a history begins."""

_NAMED = {
    "supabase": re.compile(
        r"\bauth\.(?:uid\s*\(|users\b)|\bstorage\.(?:buckets|objects)\b", re.IGNORECASE
    )
}
_MADE = re.compile(
    r"\bcreate\s+schema\s+(?:if\s+not\s+exists\s+)?\"?(?:auth|storage)\b", re.IGNORECASE
)
_HINTS = ("auth.", "storage.")


def platform_of(sources: Iterable[Source]) -> str:
    """Return the platform that the sources are written for; empty where none is told."""
    texts = [each.text for each in sources if any(hint in each.lowered for hint in _HINTS)]
    if any(_MADE.search(text) for text in texts):
        return ""
    found = (name for name, pattern in _NAMED.items() if any(map(pattern.search, texts)))
    return next(found, "")


def read_platform(name: str) -> Source:
    """Return what a platform brings, to stand before the first migration."""
    with as_file(files(__name__) / f"{name}.sql") as path:
        return read_standing(path, label=PLATFORM)
