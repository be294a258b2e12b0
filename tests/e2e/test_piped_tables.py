"""Tables in a file or a pipe: as wide as what they tell, with nothing cut."""

from click.testing import CliRunner

from tests.floor import Floor
from tradewright.cli.main import LateGroup, cli

assert isinstance(cli, LateGroup)

REASON = "the feed of the exchange was late for the third time, and nobody could say for how long"


def test_a_table_is_printed_whole_where_there_is_no_terminal(floor: Floor) -> None:
    place = ("--database", floor.conninfo)
    for words in (
        ("risk", "reduce-only", "--symbol", "EURUSD", "--actor", "anna", "--reason", REASON),
        ("risk", "halts"),
    ):
        shown = CliRunner().invoke(cli, [*words, *place]).stdout
        row = next(line for line in shown.splitlines() if "anna" in line)
        assert "EURUSD" in row
        assert REASON in row
        assert "…" not in shown


def test_what_a_person_wrote_is_printed_as_it_was_written(floor: Floor) -> None:
    words = ("risk", "reduce-only", "--actor", "[bold]anna", "--reason", "[red] alert")
    shown = CliRunner().invoke(cli, [*words, "--database", floor.conninfo]).stdout
    assert "[bold]anna" in shown
    assert "[red] alert" in shown
