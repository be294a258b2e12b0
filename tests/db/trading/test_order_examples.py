"""What the page of order types shows is what the engine does."""

import pytest

from tests.floor import Floor
from tests.order_examples import Example, examples
from tests.style.house import ROOT

PAGE = ROOT / "docs" / "reference" / "order-types.md"
EXAMPLES = list(examples(PAGE))


@pytest.mark.parametrize(("heading", "lines"), EXAMPLES, ids=[heading for heading, _ in EXAMPLES])
def test_the_example_of_the_page_comes_out_as_it_says(
    floor: Floor, heading: str, lines: list[str]
) -> None:
    Example.run(floor, lines)


def test_an_example_that_is_wrong_is_found(floor: Floor) -> None:
    wrong = ["quote 1.10000 1.10010", "a = buy 100000 market", "a: filled 100000 at 1.10000"]
    with pytest.raises(AssertionError, match="a: filled"):
        Example.run(floor, wrong)
