"""Write docs/reference/rules from the rules' own docstrings."""  # noqa: INP001 - a script

from pathlib import Path

from tradewright.review.registry import all_rules, index_page, page_of

PAGES = Path(__file__).parents[1] / "docs" / "reference" / "rules"


def main() -> None:
    """Write one page per rule and the index, and remove pages of rules that are gone."""
    for path in PAGES.glob("*.md"):
        path.unlink()
    for rule in all_rules().values():
        (PAGES / f"{rule.id}.md").write_text(page_of(rule), "utf-8")
    (PAGES / "index.md").write_text(index_page(), "utf-8")


if __name__ == "__main__":
    main()
