"""The line: what is asked for again leaves in parts, and without a gap between them."""

import socket
from pathlib import Path

from tradewright.liquidity.fix.acceptor_files import FileStore
from tradewright.liquidity.fix.acceptor_quotes import Quoting
from tradewright.liquidity.fix.actions import Resend, Send
from tradewright.liquidity.fix.codec import Framer, Message
from tradewright.liquidity.fix.line import RESENT_TOGETHER, Line, Waker
from tradewright.liquidity.fix.session import Identity

LAST = 2 * RESENT_TOGETHER + 500


class Recording(FileStore):
    """A store that remembers how much it was asked for at once."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[int] = []

    def sent(self, begin: int, end: int) -> dict[int, Message]:
        """Return what was sent under some numbers."""
        self.asked.append(end - begin + 1)
        return super().sent(begin, end)


def test_a_long_numbering_is_sent_again_in_parts_without_a_gap(tmp_path: Path) -> None:
    store = Recording(tmp_path / "session.jsonl")
    kinds = {number: "H" if number % 700 == 1 else "D" for number in range(1, LAST + 1)}
    store.write([Send(number, Message(kind, ((11, "r"),))) for number, kind in kinds.items()])
    identity = Identity(sender="HOUSE", target="LP")
    line = Line(identity, store, Quoting({}), Waker(), lambda: False)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        line.write(ours, [Resend(1, LAST), Send(LAST + 1, Message("0", ((34, str(LAST + 1)),)))])
        messages = list(Framer().feed(theirs.recv(1 << 20)))
    expected = 1
    for message in messages[:-1]:
        assert message.number(34) == expected
        expected = message.number(36) or expected + 1
    assert messages[-1].number(34) == expected == LAST + 1, "what is new comes behind"
    assert [one.number(34) for one in messages if one.kind == "H"] == [1, 701, 1401, 2101]
    assert store.asked == [RESENT_TOGETHER, RESENT_TOGETHER, 500]
