"""The codes of RTS 24 (Delegated Regulation (EU) 2017/580, annex, table 2) for the house's words.

A word for which the list has no code has none here: a request that waits for a provider's word
(pending cancel, pending replace) is no event of an order book.
"""

from collections.abc import Mapping

VALIDITY = {"day": "DAVY", "gtc": "GTCV", "gtd": "GTSV", "ioc": "IOCV", "fok": "FOKV"}
"""Field 10. An order until an instant is GTSV, until a specified date and time."""

SIDES = {"buy": "BUYI", "sell": "SELL"}
"""Field 32."""

TYPE_CLASSES = {
    "limit": "LMTO",
    "stop": "STOP",
    "stop_limit": "STOP",
    "trailing_stop": "STOP",
}
"""Field 23; a market order and one that waits for a profit are neither."""

_EVENTS = {
    "pending_new": "NEWO",
    "new": "NEWO",
    "triggered": "TRIG",
    "replaced": "REME",
    "rejected": "REMO",
    "expired": "EXPI",
}

MEMBER = "client"
"""Who acts on the client's own initiative."""

MACHINES = ("house", "provider", "stop_loss", "take_profit", "stop_out")
"""Who acts without a person of the house."""


def event_code(event_type: str, status: str, actor: str, changed: Mapping[str, object]) -> str:
    """Return the code of field 21; empty for what is none of its events.

    `changed` is what the event keeps: with it, a restatement has changed the order (REMA, or REMH
    by a person) or only its state (CHMO).
    """
    match event_type:
        case "trade":
            return "FILL" if status == "filled" else "PARF"
        case "canceled":
            return "CAME" if actor == MEMBER else "CAMO"
        case "restated":
            if "was" in changed or "stop_price" in changed:
                return "REMA"
            return "CHMO" if actor in MACHINES else "REMH"
        case _:
            return _EVENTS.get(event_type, "")


def capacity(book: str, *, is_dealt: bool, is_providers: bool) -> str:
    """Return the code of field 7: DEAL on own account, MTCH between client and provider.

    An execution says by itself which it was. Before, the account's book says it; of a hybrid order
    it is not known.
    """
    if is_dealt:
        return "MTCH" if is_providers else "DEAL"
    return {"A": "MTCH", "B": "DEAL"}.get(book, "")
