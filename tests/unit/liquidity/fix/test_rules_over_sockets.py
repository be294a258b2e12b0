"""The rules of the FIX 4.4 session, each shown over a real socket: what is said, and what ends."""

import socket
import ssl
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fix_floor import until
from tests.fix_peer import DEALT, ORDER, Hearing, Peer, called, calling
from tradewright.core.clock import monotonic_seconds, utc_now
from tradewright.liquidity.fix import line as line_module
from tradewright.liquidity.fix.acceptor import FixAcceptor
from tradewright.liquidity.fix.caller import Caller, Endpoint
from tradewright.liquidity.fix.codec import Framer, Message
from tradewright.liquidity.fix.instants import as_time
from tradewright.liquidity.fix.session import ASKS_MAX, RESENDS_MAX, Identity
from tradewright.liquidity.fix.store import MemoryStore

CERTIFICATE = Path(__file__).parents[3] / "db" / "fix" / "localhost.pem"
AN_HOUR = timedelta(hours=1)


@pytest.mark.parametrize("off", [AN_HOUR, -AN_HOUR])
def test_a_time_that_is_off_is_rejected_counted_and_ends_the_session(
    acceptor: FixAcceptor, off: timedelta
) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        peer.say("D", *ORDER, (60, as_time(utc_now())), sent=as_time(utc_now() + off))
        assert peer.hear_the_end() == ["A", "3", "5"]
        told = [peer.of("3")[0].get(tag) for tag in (45, 371, 372, 373)]
        assert told == ["2", "52", "D", "10"]
    assert acceptor.asked_count == 0, "an old order that is played again is not dealt"
    with calling(acceptor) as peer:
        peer.seq = 2
        peer.log_on()
        assert not peer.of("2"), "what was rejected was counted"


def test_a_logon_of_another_time_begins_nothing(acceptor: FixAcceptor) -> None:
    with calling(acceptor) as peer:
        peer.say("A", (98, "0"), (108, "30"), sent=as_time(utc_now() - AN_HOUR))
        assert peer.hear_the_end() == ["5"]
        assert "SendingTime (52) is 3600 s off" in peer.heard[0].text(58)


@pytest.mark.parametrize(
    ("fields", "sent", "reason", "ends"),
    [
        ((), "20200101-00:00:00.000", "10", True),
        ((), "yesterday", "6", False),
        (((43, "Y"), (122, "30000101-00:00:00.000")), None, "10", True),
        (((43, "Y"), (122, "soon")), None, "6", False),
    ],
)
def test_an_execution_is_heard_though_its_times_are_rejected(
    tmp_path: Path,
    fields: tuple[tuple[int, str], ...],
    sent: str | None,
    reason: str,
    *,
    ends: bool,
) -> None:
    with called(tmp_path) as (peer, ours):
        peer.hear("A")
        peer.say("A", (98, "0"), (108, "1"))
        peer.say("8", *fields, *DEALT, sent=sent)
        assert peer.hear("3").get(373) == reason
        until(lambda: [message.get(17) for message in ours.application.heard] == ["X-1"])
        if ends:
            assert peer.hear_the_end()[-1] == "5"
        else:
            peer.say("1", (112, "still there?"))
            assert peer.hear("0").get(112) == "still there?"


def test_a_quote_of_another_time_is_not_heard(tmp_path: Path) -> None:
    with called(tmp_path) as (peer, ours):
        peer.hear("A")
        peer.say("A", (98, "0"), (108, "1"))
        peer.say("W", (55, "EURUSD"), sent=as_time(utc_now() - AN_HOUR))
        peer.hear_the_end()
        assert ours.application.heard == []


def test_a_repeat_without_its_first_time_is_taken_and_one_that_is_no_news_passed_over(
    tmp_path: Path,
) -> None:
    with called(tmp_path) as (peer, ours):
        peer.hear("A")
        peer.say("A", (98, "0"), (108, "1"))
        peer.say("8", (43, "Y"), *DEALT)
        peer.say("8", (43, "Y"), *DEALT, seq=2)
        peer.say("1", (112, "word"))
        peer.hear("0")
        until(lambda: ours.application.heard)
        assert [message.get(17) for message in ours.application.heard] == ["X-1"]
        assert not peer.of("3")


def test_what_fills_a_gap_says_when_it_was_sent_first(acceptor: FixAcceptor) -> None:
    """Without OrigSendingTime (122) a strict provider rejects it, and the gap is never filled."""
    with calling(acceptor) as peer:
        peer.log_on()
        peer.say("2", (7, "1"), (16, "0"))
        filled = peer.hear("4")
        assert (filled.get(43), filled.get(123), filled.get(36)) == ("Y", "Y", "2")
        assert filled.get(122) == filled.get(52)


def test_what_is_asked_for_again_and_again_ends_the_session(acceptor: FixAcceptor) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        for _ in range(RESENDS_MAX + 3):
            peer.say("2", (7, "1"), (16, "0"))
        kinds = peer.hear_the_end()
        assert kinds.count("4") == RESENDS_MAX
        assert kinds[-1] == "5"


def test_an_end_before_its_beginning_cannot_be_sent_again(acceptor: FixAcceptor) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        peer.say("2", (7, "9"), (16, "3"))
        assert (peer.hear("3").get(371), peer.of("4")) == ("7", [])


def test_a_gap_that_nobody_fills_is_asked_for_a_few_times_and_ends_the_session(
    tmp_path: Path,
) -> None:
    with called(tmp_path) as (peer, ours):
        peer.hear("A")
        peer.say("A", (98, "0"), (108, "1"))
        peer.say("0", seq=9)
        for count in range(1, ASKS_MAX + 1):
            peer.hear("2", count)
            peer.say("0", seq=10)
        peer.hear_the_end()
        assert len(peer.of("2")) == ASKS_MAX
        assert ours.ended == [f"number 2 was asked for {ASKS_MAX} times in vain"]


def test_a_gap_that_is_being_filled_is_not_asked_for_again(tmp_path: Path) -> None:
    with called(tmp_path) as (peer, ours):
        peer.hear("A")
        peer.say("A", (98, "0"), (108, "1"))
        peer.say("0", seq=9)
        peer.hear("2")
        ends = utc_now() + timedelta(seconds=1.6)
        until(lambda: peer.read() or utc_now() > ends - timedelta(seconds=0.8))
        peer.say("4", (43, "Y"), (123, "Y"), (36, "5"))
        until(lambda: peer.read() or utc_now() > ends)
        assert len(peer.of("2")) == 1
        assert ours.store.numbers()[0] == 5


def test_a_second_connection_is_closed_without_a_word_and_the_first_goes_on(
    acceptor: FixAcceptor,
) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        with calling(acceptor) as second:
            second.say("A", (98, "0"), (108, "30"), (141, "Y"))
            assert second.hear_the_end() == []
        peer.say("1", (112, "word"))
        assert peer.hear("0").get(112) == "word"
    with calling(acceptor) as third:
        third.seq = 2
        third.log_on()
        assert not third.of("2"), "the logon that was not heard has reset nothing"


@pytest.mark.parametrize(
    ("fields", "seq", "heard"),
    [
        (((36, "1"),), 9, ["A", "3"]),
        (((123, "Y"), (36, "2")), None, ["A", "3"]),
        (((123, "Y"),), None, ["A", "3"]),
    ],
)
def test_numbers_never_fall_by_a_reset_or_a_gap_fill(
    acceptor: FixAcceptor, fields: tuple[tuple[int, str], ...], seq: int | None, heard: list[str]
) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        peer.say("4", *fields, seq=seq)
        peer.say("1", (112, "word"))
        peer.hear("0")
        assert [message.kind for message in peer.heard] == [*heard, "0"]


def test_a_number_too_low_ends_the_session_unless_it_is_a_repeat(acceptor: FixAcceptor) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        peer.say("0", (43, "Y"), (122, as_time(utc_now())), seq=1)
        peer.say("0", seq=1)
        assert peer.hear_the_end() == ["A", "5"]
        assert peer.heard[-1].get(58) == "MsgSeqNum too low, expecting 2 but received 1"


def test_both_numberings_begin_again_while_the_session_lasts(tmp_path: Path) -> None:
    with called(tmp_path) as (peer, ours):
        peer.hear("A")
        peer.say("A", (98, "0"), (108, "1"))
        peer.say("8", *DEALT)
        until(lambda: ours.application.heard)
        peer.seq = 0
        peer.say("A", (98, "0"), (108, "1"), (141, "Y"))
        answer = peer.hear("A", 2)
        assert (answer.get(34), answer.get(141)) == ("1", "Y")
        peer.say("8", *DEALT)
        until(lambda: len(ours.application.heard) == 2)
        assert ours.application.readies == 2, "what became of the orders is asked again"
        assert ours.store.numbers()[0] == 3


def test_a_logon_that_resets_has_the_number_one(acceptor: FixAcceptor) -> None:
    with calling(acceptor) as peer:
        peer.seq = 4
        peer.say("A", (98, "0"), (108, "30"), (141, "Y"))
        assert peer.hear_the_end() == ["5"]


def test_a_message_of_another_is_rejected_and_ends_the_session(acceptor: FixAcceptor) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        peer.name = "EVE"
        peer.say("0")
        assert peer.hear_the_end() == ["A", "3", "5"]
        assert (peer.of("3")[0].get(371), peer.of("3")[0].get(373)) == ("49", "9")


def test_who_is_silent_is_tested_and_then_hung_up_on(acceptor: FixAcceptor) -> None:
    with calling(acceptor) as peer:
        peer.log_on(beat=1)
        kinds = peer.hear_the_end()
        assert "1" in kinds
        assert "0" in kinds


def test_who_does_not_read_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "WRITE_SECONDS_MAX", 0.3)
    with called(tmp_path) as (peer, ours):
        peer.hear("A")
        peer.say("A", (98, "0"), (108, "1"))
        ours.application.says = [Message("B", ((58, "x" * 1000),)) for _ in range(5000)]
        until(lambda: ours.ended, seconds=8)
        assert ours.ended == ["TimeoutError: timed out"]
        assert ours.store.numbers()[1] > 5000, "what may have been said is known"


def test_what_is_garbled_is_passed_over_and_asked_for_by_its_number(
    acceptor: FixAcceptor,
) -> None:
    with calling(acceptor) as peer:
        peer.log_on()
        whole = peer.raw("0")
        peer.connection.sendall(whole[:-4] + b"999\x01")
        peer.connection.sendall(peer.raw("0").replace(b"\x019=", b"\x019=9"))
        peer.say("1", (112, "word"))
        assert (peer.hear("2").get(7), peer.heard[1:-1]) == ("2", [])


def test_over_tls_part_of_a_record_keeps_nobody_from_speaking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "WRITE_SECONDS_MAX", 6)
    context = ssl.create_default_context(cafile=str(CERTIFICATE))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)
    given, taken = ssl.MemoryBIO(), ssl.MemoryBIO()
    secured = server.wrap_bio(given, taken, server_side=True)

    def wrap(plain: socket.socket) -> socket.socket:
        return context.wrap_socket(plain, server_hostname="localhost")

    with called(tmp_path, wrap) as (peer, ours):
        while not secured.version() or not secured.cipher():
            try:
                secured.do_handshake()
                break
            except ssl.SSLWantReadError:
                peer.connection.sendall(taken.read())
                given.write(peer.connection.recv(1 << 16))
        secured.write(peer.raw("A", (98, "0"), (108, "30")))
        peer.connection.sendall(taken.read())
        until(lambda: ours.application.readies)
        secured.write(peer.raw("8", *DEALT))
        record = taken.read()
        peer.connection.sendall(record[:20])
        until(lambda: not ours.application.heard)
        ours.application.says = [Message("H", ORDER)]
        ours.waker.wake()
        peer.connection.settimeout(3)
        framer = Framer()
        kinds: list[str] = []
        while "H" not in kinds:
            given.write(peer.connection.recv(1 << 16))
            with suppress(ssl.SSLWantReadError):
                while True:
                    kinds += [message.kind for message in framer.feed(secured.read(1 << 16))]
        peer.connection.sendall(record[20:])
        until(lambda: [message.get(17) for message in ours.application.heard] == ["X-1"])


def test_a_session_that_ends_as_soon_as_it_begins_is_not_begun_again_all_the_time() -> None:
    """Whatever ends it right behind the logon would end the next one too."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.1)
    identity = Identity(sender="HOUSE", target="LP", resets_on_logon=True)
    endpoint = Endpoint(
        host="127.0.0.1", port=server.getsockname()[1], identity=identity, uses_tls=False
    )
    hearing, calls = Hearing(), 0
    caller = Caller(endpoint, MemoryStore(), hearing)
    caller.start()
    ends = monotonic_seconds() + 2
    while monotonic_seconds() < ends:
        with suppress(TimeoutError):
            connection, _ = server.accept()
            with connection:
                peer = Peer(connection, "LP", "HOUSE")
                peer.hear("A")
                peer.say("A", (98, "0"), (108, "30"), (141, "Y"))
                calls += 1
                until(lambda count=calls: hearing.readies >= count)  # type: ignore[misc]
    caller.stop()
    server.close()
    assert 2 <= calls <= 5
