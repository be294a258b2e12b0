"""FIX on the wire: what is encoded is decoded, and what is garbled is passed over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradewright.liquidity.fix.codec import MESSAGE_BYTES_MAX, Framer, Message, decode, encode

VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\x01", exclude_categories=["Cs"]),
    min_size=1,
)
FIELDS = st.lists(st.tuples(st.integers(1, 9999).filter(lambda tag: tag != 35), VALUES))
MESSAGES = st.builds(Message, st.sampled_from(["0", "8", "D", "AE"]), FIELDS.map(tuple))


def heartbeat(number: int = 1) -> bytes:
    return encode("0", [(34, str(number))])


def test_length_and_checksum_are_those_of_the_standard() -> None:
    """Body length counts from after 9 to before 10; the checksum is the sum of all before 10."""
    assert encode("0", [(34, "1")]) == b"8=FIX.4.4\x019=10\x0135=0\x0134=1\x0110=165\x01"
    assert sum(b"8=FIX.4.4\x019=10\x0135=0\x0134=1\x01") % 256 == 165


@given(MESSAGES)
def test_what_is_encoded_is_decoded(message: Message) -> None:
    assert decode(encode(message.kind, message.fields)) == message


@given(st.lists(MESSAGES, max_size=5), st.integers(1, 40))
def test_messages_are_whole_however_the_bytes_arrive(messages: list[Message], size: int) -> None:
    data = b"".join(encode(message.kind, message.fields) for message in messages)
    framer = Framer()
    parts = [data[place : place + size] for place in range(0, len(data), size)]
    assert [each for part in parts for each in framer.feed(part)] == messages
    assert framer.garbled_count == 0


@given(st.integers(0, len(heartbeat()) - 1), st.integers(0, 255))
def test_one_wrong_byte_never_makes_another_message(place: int, byte: int) -> None:
    whole = heartbeat()
    broken = whole[:place] + bytes([byte]) + whole[place + 1 :]
    expected = [Message("0", ((34, "1"),))] if broken == whole else []
    assert list(Framer().feed(broken)) == expected


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        heartbeat()[:-4] + b"000\x01",
        heartbeat()[:-9],
        b"8=FIX.4.4\x019=99999\x0135=0\x01",
        b"8=FIX.4.4\x019=9999999\x01",
        b"8=FIX.4.4\x019=abc\x0135=0\x01xxxxxx",
        b"8=FIX.4.2\x019=5\x0135=0\x0110=161\x01",
        b"8=FIX.4.4\x019=5\x0135=0",
    ],
)
def test_after_garbage_the_next_message_is_read(garbage: bytes) -> None:
    framer = Framer()
    assert list(framer.feed(garbage + b"\x01" + heartbeat(2))) == [Message("0", ((34, "2"),))]


def test_what_never_becomes_a_message_is_not_remembered_for_ever() -> None:
    framer = Framer()
    for _ in range(100):
        assert list(framer.feed(b"x" * 100_000)) == []
    assert len(framer._buffer) < MESSAGE_BYTES_MAX


@pytest.mark.parametrize("value", ["", "a\x01b", "a\x00b"])
def test_a_value_that_no_field_may_have_is_never_sent(value: str) -> None:
    with pytest.raises(ValueError, match="58"):
        encode("0", [(58, value)])


@pytest.mark.parametrize(
    ("part", "read"),
    [
        (b"58=", ()),
        (b"=58", ()),
        (b"58", ()),
        (b"058=a", ()),
        (b"5x=a", ()),
        (b"9999999999=a", ()),
        (b"58=caf\xe9", ((58, "caf\u00e9"),)),
        (b"58=a\x00b", ((58, "a\ufffdb"),)),
    ],
)
def test_a_field_that_cannot_be_read_keeps_no_whole_message_out(
    part: bytes, read: tuple[tuple[int, str], ...]
) -> None:
    """It would be asked for again for ever, and with it all that comes after."""
    head = b"8=FIX.4.4\x019=%d\x0135=8\x0134=2\x01%b\x0117=X\x01" % (len(part) + 16, part)
    whole = head + b"10=%03d\x01" % (sum(head) % 256)
    assert decode(whole) == Message("8", ((34, "2"), *read, (17, "X")))


@pytest.mark.parametrize("text", ["", "-1", "\u00b2", "1.0", "9" * 19])
def test_a_number_is_whole_and_written_in_digits(text: str) -> None:
    assert Message("0", ((34, text),)).number(34) is None
    assert Message("0", ((34, "007"),)).number(34) == 7


def test_groups_are_read_by_their_first_field() -> None:
    entries = ((268, "2"), (269, "0"), (270, "1.1"), (269, "1"), (270, "1.2"))
    first, second = Message("W", entries).groups(269)
    assert (first.get(270), second.get(270)) == ("1.1", "1.2")
    assert Message("W", ()).groups(269) == []
