"""Every relative link of a Markdown page leads to a file, and its anchor to a heading."""

import re
from pathlib import Path

from tests.style.house import ROOT, broken

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(?P<text>.+?)\s*$", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")


def anchors(page: str) -> set[str]:
    """Return the anchors that a page's headings make."""
    headings = (match["text"] for match in HEADING.finditer(FENCE.sub("", page)))
    plain = (re.sub(r"[^\w\- ]", "", text.replace("`", "")).lower() for text in headings)
    return {text.replace(" ", "-") for text in plain}


def dead_links(page: Path, *, root: Path) -> list[str]:
    """Return the relative links of a page that lead to nothing, or out of the tree."""
    text = CODE.sub("", FENCE.sub("", page.read_text(encoding="utf-8")))
    targets = [match["target"] for match in LINK.finditer(text)]
    return [
        f"{page.relative_to(root)}: {target}"
        for target in targets
        if not target.startswith(ELSEWHERE) and not _leads_somewhere(page, target, root)
    ]


def _leads_somewhere(page: Path, target: str, root: Path) -> bool:
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page.resolve()
    if not path.exists() or not path.is_relative_to(root.resolve()):
        return False
    if not anchor or path.suffix != ".md":
        return True
    return anchor in anchors(path.read_text(encoding="utf-8"))


def test_every_relative_link_resolves() -> None:
    pages = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    offences = [offence for page in pages for offence in dead_links(page, root=ROOT)]
    assert not offences, broken(
        "Every relative link in README and docs leads to a file and a heading that are there.",
        "\n".join(offences),
        "Correct the path; write the page before the link to it.",
    )


def test_a_link_to_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# The way\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#the-way) [c](gone.md) [d](there.md#no-way) [e](../../etc)\n"
        "[f](https://example.org/x) [g](#here) `[h](code.md)`\n\n```\n[i](fenced.md)\n```\n# Here\n"
    )
    assert dead_links(page, root=tmp_path) == [
        "page.md: gone.md",
        "page.md: there.md#no-way",
        "page.md: ../../etc",
    ]
