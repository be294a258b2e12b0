"""What the kept messages say of requests: asked, answered, and received but never booked."""

from collections.abc import Sequence

from tradewright.liquidity.fix.application import NEW_ORDER, asked_request, request_id_of
from tradewright.liquidity.fix.codec import Message, decode
from tradewright.liquidity.fix.store import SessionOpener
from tradewright.liquidity.model import ProviderRequest
from tradewright.postgres.queries import load_queries

_QUERIES = "tradewright.liquidity.fix"


def recalled(
    open_session: SessionOpener, provider_id: str, round_id: str
) -> Sequence[tuple[ProviderRequest, list[Message]]]:
    """Return the requests whose id begins with `round_id`, each with its reports in order.

    What is not here was never sent: a request is kept before it leaves.
    """
    with open_session() as session:
        parameters = {"provider_id": provider_id, "round_id": round_id}
        rows = session.execute(load_queries(_QUERIES)["requests"], parameters).fetchall()
    requests: dict[str, tuple[ProviderRequest, list[Message]]] = {}
    for (raw,) in rows:
        message = _message(raw)
        if message.kind == NEW_ORDER:
            requests[message.text(11)] = (asked_request(message), [])
        elif request_id_of(message) in requests:
            requests[request_id_of(message)][1].append(message)
    return list(requests.values())


def untold_reports(open_session: SessionOpener, provider_id: str) -> list[Message]:
    """Return the executions that were received and have been neither booked nor set aside."""
    with open_session() as session:
        rows = session.execute(
            load_queries(_QUERIES)["untold"], {"provider_id": provider_id}
        ).fetchall()
    return [_message(raw) for (raw,) in rows]


def _message(raw: str) -> Message:
    message = decode(raw.encode())
    if message is None:
        raise AssertionError("what was kept is whole")
    return message
