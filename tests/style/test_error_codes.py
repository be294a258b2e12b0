"""Every error code is CATEGORY_CONDITION and has its row in the documentation.

The page docs/reference/error-codes.md is kept by hand, since what a code means and what its
reader should do are sentences; this keeps the page and the enum equal, both ways.
"""

import re
from collections.abc import Iterable, Mapping

from tests.style.house import ROOT, broken
from tradewright.core.errors import ErrorCode

PAGE = ROOT / "docs" / "reference" / "error-codes.md"
CODE = re.compile(r"[A-Z]+(_[A-Z0-9]+)+")
ROW = re.compile(r"^\| `(?P<code>[^`]+)` \|(?P<meaning>[^|]*)\|(?P<remedy>[^|]*)\|$", re.MULTILINE)


def malformed_codes(codes: Mapping[str, str]) -> list[str]:
    """Return the codes that are not CATEGORY_CONDITION, or whose value is not their name."""
    return [
        f"{name} = {value!r}"
        for name, value in codes.items()
        if name != value or not CODE.fullmatch(name)
    ]


def page_offences(codes: Iterable[str], page: str) -> list[str]:
    """Return how the rows of the page differ from the codes, and the rows that say too little."""
    rows = [(row["code"], row["meaning"], row["remedy"]) for row in ROW.finditer(page)]
    listed = [code for code, _, _ in rows]
    known = set(codes)
    return [
        *(f"no row: | `{code}` | MEANING | WHAT TO DO |" for code in sorted(known - set(listed))),
        *(f"no such code: {code}" for code in sorted(set(listed) - known)),
        *(f"listed twice: {code}" for code in sorted(known) if listed.count(code) > 1),
        *(f"says too little: {code}" for code, *words in rows if not all(map(str.strip, words))),
        *(["rows are not in order"] if listed != sorted(listed) else []),
    ]


def test_every_error_code_is_category_and_condition() -> None:
    offences = malformed_codes({code.name: code.value for code in ErrorCode})
    assert not offences, broken(
        "Every error code is CATEGORY_CONDITION and its value is its name.",
        "\n".join(offences),
        "Rename the code in core/error_codes.py.",
    )


def test_every_error_code_has_its_row_in_the_reference() -> None:
    offences = page_offences(map(str, ErrorCode), PAGE.read_text(encoding="utf-8"))
    assert not offences, broken(
        "docs/reference/error-codes.md lists every code once, in alphabetical order.",
        "\n".join(offences),
        "Add the row with what the code means and what its reader should do, or remove it.",
    )


def test_a_code_without_condition_is_found() -> None:
    codes = {
        "INPUT": "INPUT",
        "Input_Bad": "Input_Bad",
        "A_B": "A_C",
        "STATE_CLOSED": "STATE_CLOSED",
    }
    assert malformed_codes(codes) == ["INPUT = 'INPUT'", "Input_Bad = 'Input_Bad'", "A_B = 'A_C'"]


def test_a_missing_a_stale_and_an_empty_row_are_found() -> None:
    page = "| `A_GONE` | was here | nothing |\n| `A_KNOWN` | it is known | |\n"
    assert page_offences(["A_KNOWN", "A_NEW"], page) == [
        "no row: | `A_NEW` | MEANING | WHAT TO DO |",
        "no such code: A_GONE",
        "says too little: A_KNOWN",
    ]


def test_rows_out_of_order_or_twice_are_found() -> None:
    page = "| `A_B` | b | do b |\n| `A_A` | a | do a |\n| `A_B` | b | do b |\n"
    assert page_offences(["A_A", "A_B"], page) == ["listed twice: A_B", "rows are not in order"]
