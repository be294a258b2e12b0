"""What a key looks like, and that nothing of it shows by accident."""

import hashlib
import re

from tradewright.access.tokens import KEY, SESSION, matches, new_secret, read_secret


def test_a_secret_that_is_shown_is_the_one_that_was_made() -> None:
    made = new_secret(KEY)
    shown = read_secret(KEY, made.text)
    assert shown is not None
    assert (shown.id, shown.hash) == (made.id, made.hash)
    assert matches(shown, made.hash)


def test_scanners_find_a_key_by_its_form() -> None:
    assert re.fullmatch(r"twk_[0-9a-f]{96}", new_secret(KEY).text)
    assert re.fullmatch(r"tws_[0-9a-f]{96}", new_secret(SESSION).text)


def test_what_is_kept_is_the_hash_of_the_chance_alone() -> None:
    made = new_secret(KEY)
    assert made.hash == hashlib.sha256(bytes.fromhex(made.text[-64:])).digest()
    assert len({new_secret(KEY).text[-64:] for _ in range(100)}) == 100


def test_another_secret_with_the_same_id_does_not_match() -> None:
    made = new_secret(KEY)
    last = "0" if made.text[-1] != "0" else "1"
    forged = read_secret(KEY, made.text[:-1] + last)
    assert forged is not None
    assert forged.id == made.id
    assert not matches(forged, made.hash)


def test_a_key_is_no_session_and_a_session_no_key() -> None:
    assert read_secret(SESSION, new_secret(KEY).text) is None
    assert read_secret(KEY, new_secret(SESSION).text) is None


def test_what_has_not_the_form_is_nothing() -> None:
    text = new_secret(KEY).text
    for shown in ("", "twk_", text[:-1], text + "0", text.upper(), f" {text}", f"{text}\n"):
        assert read_secret(KEY, shown) is None


def test_a_secret_is_not_printed() -> None:
    made = new_secret(KEY)
    assert made.text[-64:] not in repr(made)
