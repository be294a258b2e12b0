"""The review's reports: one format, one module, each with a `render(review)`."""

import importlib
from collections.abc import Callable

from tradewright.review.result import Review

FORMATS = {
    "terminal": "for a person: source line, caret, help",
    "json": "everything, for programs",
    "markdown": "a document with scores, to be read and kept",
    "html": "the same document as one page",
    "sarif": "SARIF 2.1.0, for code scanning",
    "github": "annotations of GitHub Actions",
    "comment": "a short comment on a pull request",
    "gitlab": "GitLab's code quality report",
    "junit": "JUnit XML, for build servers",
}
"""Format → what it is for; each is a module of this package (hyphens as underscores)."""


def renderer(name: str) -> Callable[[Review], str]:
    """Return the function that renders a review in a format."""
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}_report")
    render: Callable[[Review], str] = module.render
    return render
