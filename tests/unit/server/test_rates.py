"""How often a key may ask, an address may be refused, and how many requests are at work at once."""

import pytest

from tradewright.access import rates
from tradewright.access.rates import Buckets, Strangers
from tradewright.core.errors import ErrorCode, StateError
from tradewright.server.http.works import Works


def code(call: object, *given: object) -> ErrorCode | None:
    assert callable(call)
    try:
        call(*given)
    except StateError as error:
        return error.code
    return None


def test_a_bucket_is_forgotten_only_when_many_others_came_since(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rates, "BUCKETS_MAX", 3)
    buckets = Buckets(per_second=0.001, burst=1)
    assert [buckets.take(name) > 0 for name in "aabc"] == [False, True, False, False]
    assert buckets.take("a") > 0
    assert [buckets.take(name) > 0 for name in "dea"] == [False, False, True]
    assert len(buckets._left) == 3


def test_an_address_that_is_refused_too_often_is_held_up_and_who_is_known_is_not() -> None:
    strangers = Strangers(Buckets(per_second=0.001, burst=2))
    strangers.known("kim's")
    for shown in ("x", "y"):
        assert code(strangers.admit, "192.0.2.1", shown) is None
        strangers.refused("192.0.2.1", shown)
    assert code(strangers.admit, "192.0.2.1", "z") is ErrorCode.HTTP_RATE_EXCEEDED
    assert code(strangers.admit, "192.0.2.2", "z") is None
    assert code(strangers.admit, "192.0.2.1", "kim's") is None
    strangers.refused("192.0.2.1", "kim's")
    assert code(strangers.admit, "192.0.2.1", "kim's") is ErrorCode.HTTP_RATE_EXCEEDED


def test_addresses_of_one_network_of_ipv6_count_together() -> None:
    strangers = Strangers(Buckets(per_second=0.001, burst=1))
    strangers.refused("2001:db8::1", "x")
    assert code(strangers.admit, "2001:db8::ffff:2", "y") is ErrorCode.HTTP_RATE_EXCEEDED
    assert code(strangers.admit, "2001:db8:0:1::1", "y") is None
    assert code(strangers.admit, "::ffff:192.0.2.1", "y") is None


def test_a_place_at_work_is_given_back_once() -> None:
    works = Works(count_max=2, of_key_max=1)
    first, second = works.begin(), works.begin()
    assert code(works.begin) is ErrorCode.SERVER_BUSY
    first.belongs_to("kim")
    assert code(second.belongs_to, "kim") is ErrorCode.HTTP_REQUESTS_EXCEEDED
    second.end()
    second.end()
    third = works.begin()
    assert code(works.begin) is ErrorCode.SERVER_BUSY
    first.end()
    assert code(third.belongs_to, "kim") is None
    third.end()
    assert (works._count, works._of_keys) == (0, {})
