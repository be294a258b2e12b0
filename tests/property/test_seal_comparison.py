"""Whatever is done to sealed entries, the first version that it touches is named."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from tradewright.ledger.sealing.model import FaultKind
from tradewright.ledger.sealing.rules import first_different_entry, first_different_transfer


def digest(number: int) -> bytes:
    return sha256(str(number).encode()).digest()


@st.composite
def sealed_and_place(draw: st.DrawFn) -> tuple[int, list[tuple[int, bytes]], int]:
    """Draw a first version, as many sealed entries as there may be, and one of their places."""
    first, count = draw(st.integers(1, 10**12)), draw(st.integers(1, 30))
    entries = [(first + place, digest(place)) for place in range(count)]
    return first, entries, draw(st.integers(0, count - 1))


def compare(
    first: int, sealed: list[tuple[int, bytes]], found: list[tuple[int, bytes]]
) -> tuple[int, FaultKind] | None:
    different = first_different_entry(first, b"".join(each for _, each in sealed), found)
    return None if different is None else (different.version, different.kind)


@given(sealed_and_place(), st.integers(0, 5))
def test_untouched_entries_differ_nowhere_however_many_came_since(
    drawn: tuple[int, list[tuple[int, bytes]], int], newer: int
) -> None:
    first, sealed, _ = drawn
    since = [(first + len(sealed) + n, digest(1000 + n)) for n in range(newer)]
    assert compare(first, sealed, sealed + since) is None


@given(sealed_and_place())
def test_a_changed_entry_is_named(drawn: tuple[int, list[tuple[int, bytes]], int]) -> None:
    first, sealed, place = drawn
    found = [*sealed[:place], (first + place, digest(-1)), *sealed[place + 1 :]]
    assert compare(first, sealed, found) == (first + place, FaultKind.CHANGED)


@given(sealed_and_place(), st.booleans())
def test_a_deleted_entry_is_named_numbered_anew_or_not(
    drawn: tuple[int, list[tuple[int, bytes]], int], anew: bool
) -> None:
    first, sealed, place = drawn
    rest = [(version - int(anew), each) for version, each in sealed[place + 1 :]]
    assert compare(first, sealed, sealed[:place] + rest) == (first + place, FaultKind.DELETED)


@given(sealed_and_place())
def test_an_inserted_entry_is_named(drawn: tuple[int, list[tuple[int, bytes]], int]) -> None:
    first, sealed, place = drawn
    rest = [(version + 1, each) for version, each in sealed[place:]]
    found = [*sealed[:place], (first + place, digest(-1)), *rest]
    assert compare(first, sealed, found) == (first + place, FaultKind.INSERTED)


@given(sealed_and_place(), st.integers(0, 29))
def test_of_two_swapped_entries_the_first_is_named(
    drawn: tuple[int, list[tuple[int, bytes]], int], other: int
) -> None:
    first, sealed, place = drawn
    one, two = sorted((place, other % len(sealed)))
    hashes = [each for _, each in sealed]
    hashes[one], hashes[two] = hashes[two], hashes[one]
    found = [(first + at, each) for at, each in enumerate(hashes)]
    named = compare(first, sealed, found)
    assert named == (None if one == two else (first + one, FaultKind.MOVED))


@given(st.lists(st.integers(0, 50), unique=True, min_size=1), st.data())
def test_the_first_touched_transfer_is_named(numbers: list[int], data: st.DataObject) -> None:
    pairs = sorted((number.to_bytes(16), digest(number)) for number in numbers)
    sealed = b"".join(transfer_id + each for transfer_id, each in pairs)
    assert first_different_transfer(sealed, pairs) is None
    place = data.draw(st.integers(0, len(pairs) - 1))
    touched = pairs[place][0]
    named = first_different_transfer(sealed, pairs[:place] + pairs[place + 1 :])
    assert named is not None
    assert (named.transfer_id, named.kind) == (touched, FaultKind.DELETED)
    changed = [*pairs[:place], (touched, digest(-1)), *pairs[place + 1 :]]
    named = first_different_transfer(sealed, changed)
    assert named is not None
    assert (named.transfer_id, named.kind) == (touched, FaultKind.CHANGED)
    stranger = ((100 + place).to_bytes(16), digest(-1))
    named = first_different_transfer(sealed, [*pairs, stranger])
    assert named is not None
    assert (named.transfer_id, named.kind) == (stranger[0], FaultKind.INSERTED)
