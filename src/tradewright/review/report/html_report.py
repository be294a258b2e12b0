"""The review as one HTML page without outside parts, to be opened in any browser."""

from collections.abc import Iterable, Iterator
from html import escape

from tradewright.review.model import Severity
from tradewright.review.report.document import PLACES_MAX, Document, Group, document_of
from tradewright.review.report.markdown_report import HEADINGS, MARKS, PRIORITIES
from tradewright.review.result import Review

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2024; background: #fff; }
code, pre { font: 14px/1.4 ui-monospace, monospace; }
pre { background: #f4f5f6; padding: .6rem .8rem; overflow-x: auto; border-left: 4px solid #888; }
pre.bad { border-color: #c62828; } pre.good { border-color: #2e7d32; }
table { border-collapse: collapse; } td, th { border: 1px solid #ccc; padding: .2rem .6rem; }
.critical { color: #b71c1c; } .major { color: #b45309; } .minor, .info { color: #555; }
@media (prefers-color-scheme: dark) {
  body { color: #e6e6e6; background: #16181a; } pre { background: #222629; }
  .critical { color: #ef9a9a; } .major { color: #ffcc80; } .minor, .info { color: #aaa; } }
"""


def render(review: Review) -> str:
    """Return the review as an HTML page."""
    document = document_of(review)
    title = f"Migration review: {escape(document.folder)}"
    parts = [_head, _findings, _strengths, _recommendations, _checklist, _scores, _files]
    body = "\n".join(line for part in parts for line in part(document))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>'
        f"\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def _head(document: Document) -> Iterator[str]:
    score = document.score
    yield f"<p><strong>Review date:</strong> {document.reviewed_on}<br>"
    yield f"<strong>Overall score:</strong> {score.overall}/10<br>"
    yield f"<strong>Status:</strong> {MARKS[score.status]} {score.status.upper()}</p>"
    yield "<h2>Executive summary</h2>"
    yield from _list(escape(line) for line in document.summary)


def _list(items: Iterable[str], kind: str = "ul") -> Iterator[str]:
    yield f"<{kind}>"
    yield from (f"<li>{item}</li>" for item in items)
    yield f"</{kind}>"


def _findings(document: Document) -> Iterator[str]:
    yield "<h2>Findings</h2>"
    if not document.groups:
        yield "<p>Nothing was found.</p>"
    for severity in Severity:
        groups = [group for group in document.groups if group.severity is severity]
        if groups:
            yield f'<h3 class="{severity}">{HEADINGS[severity]}</h3>'
        for group in groups:
            yield from _group(group)


def _group(group: Group) -> Iterator[str]:
    yield f"<h4>{escape(group.title.rstrip('.'))}</h4>"
    yield f'<p><code>{group.rule}</code> · <span class="{group.severity}">{group.severity}</span>'
    yield f" · {group.category}</p>"
    places = [
        f"<code>{escape(f.location.path)}:{f.location.line}</code>: {escape(f.message)}"
        for f in group.findings[:PLACES_MAX]
    ]
    if len(group.findings) > PLACES_MAX:
        places.append(f"and {len(group.findings) - PLACES_MAX} more")
    yield from _list(iter(places))
    if group.offending:
        yield f'<pre class="bad">{escape(group.offending)}</pre>'
    if group.corrected:
        yield f'<pre class="good">{escape(group.corrected)}</pre>'
    yield f"<p><strong>Required action:</strong> {escape(group.advice)}</p>"


def _strengths(document: Document) -> Iterator[str]:
    if document.strengths:
        yield "<h2>Strengths</h2>"
        for strength in document.strengths:
            yield f"<p><strong>{escape(strength.title)}.</strong> {escape(strength.detail)}</p>"
            if strength.example:
                yield f'<pre class="good">{escape(strength.example)}</pre>'


def _recommendations(document: Document) -> Iterator[str]:
    yield "<h2>Recommendations in order of priority</h2>"
    for severity, heading in PRIORITIES.items():
        groups = [group for group in document.groups if group.severity is severity]
        if groups:
            yield f"<h3>{heading}</h3>"
            yield from _list(map(_recommendation, groups), "ol")


def _recommendation(group: Group) -> str:
    advice = f"<b>{escape(group.title)}</b> {escape(group.advice)}"
    return f"{advice} ({len(group.findings)} places)"


def _checklist(document: Document) -> Iterator[str]:
    yield "<h2>Testing checklist</h2>"
    yield from _list(
        f'<label><input type="checkbox"{" checked" if item.is_done else ""}> '
        f"{escape(item.text)}</label>{escape(item.note)}"
        for item in document.checklist
    )


def _scores(document: Document) -> Iterator[str]:
    yield "<h2>Summary</h2>\n<table>\n<tr><th>Category</th>"
    yield "".join(f"<th>{severity.capitalize()}</th>" for severity in Severity)
    yield "<th>Score</th></tr>"
    for row in document.score.categories:
        counts = "".join(f"<td>{row.counts.get(severity, 0)}</td>" for severity in Severity)
        yield f"<tr><td>{row.category}</td>{counts}<td>{row.score}/10</td></tr>"
    yield f'<tr><th>Overall</th><td colspan="4"></td><th>{document.score.overall}/10</th></tr>'
    yield "</table>"


def _files(document: Document) -> Iterator[str]:
    yield "<h2>Files reviewed</h2>"
    yield from _list(
        f"<code>{escape(file.path)}</code> ({file.line_count:,} lines)" for file in document.files
    )
    yield f"<p><strong>Total lines reviewed:</strong> {document.line_count:,}</p>"
