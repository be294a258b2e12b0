"""The fields of an order record: which rule asks for each, and where the house has it from.

Delegated Regulation (EU) 2017/565, Annex IV, says what an investment firm keeps: section 1 of what
a client orders, section 2 of what becomes of it. The words for it are those of RTS 24 (Delegated
Regulation (EU) 2017/580), which binds trading venues. What the house does not record is a field all
the same, always empty, and says why. Section 1 and the fields 1 to 8 of section 2 were compared
with the text of the regulation, those of section 2 from 9 on and of RTS 24 were not.

A number of RTS 24 stands where the field says the same of an order of this house as of one in a
venue's book. So the event's number in its order is not field 15, which numbers all events of a
venue; the state is told in the words of FIX, not in the codes of field 33; and field 30 is the
currency of a swap's second leg, which the thing that is dealt in is not.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its numbers in Annex IV and RTS 24, and its source, or why there is none."""

    column: str
    annex: str
    rts24: str
    source: str
    is_recorded: bool = True


def _lacking(column: str, annex: str, rts24: str, why: str) -> Field:
    return Field(column, annex, rts24, why, is_recorded=False)


_NO_TERM = "the house lists no instrument that has one"
_NO_VENUE = "orders are dealt with the house or a provider, on no trading venue"
_NO_PERSON = "persons of the house act under names, and no order keeps one"

FIELDS: tuple[Field, ...] = (
    Field("order_id", "2(6)", "20", "the order's id"),
    Field("sequence", "2(37)", "", "the event's number in its order, gapless from 1"),
    Field("event", "2(37)", "21", "what happened, in RTS 24's code"),
    Field("event_at", "2(32)", "9", "when it was recorded, by the database server's clock"),
    Field("event_type", "2(37)", "", "what happened, as FIX ExecType (150) calls it"),
    Field("status", "2(37)", "", "the state that the order came to"),
    Field("actor", "2(37)", "", "who took the step: client, house, provider, a watcher, a person"),
    Field(
        "reason", "2(37)", "", "code of a denial, a rejection, a refused change or an end, there"
    ),
    Field("received_at", "1(16)", "9", "time of the order's first event"),
    Field("client_id", "1(1), 2(1)", "3", "the user's id"),
    _lacking("client_name", "1(1), 2(1)", "", "users have an e-mail address and no name here"),
    Field("account_id", "1(1), 2(1)", "", "the trading account"),
    _lacking("acting_person", "1(2), 2(2)", "", "nobody else can act for a client"),
    _lacking("decision_trader_id", "1(3), 2(3)", "4", _NO_PERSON),
    _lacking("decision_algorithm_id", "1(4), 2(4)", "4", "an order says by origin who proposed it"),
    Field("origin", "1(15)", "", "client, or the watcher that proposed to close"),
    Field("side", "1(5), 2(15)", "32", "BUYI or SELL"),
    Field("instrument", "1(6), 2(16)", "18", "the house's symbol; it keeps no ISIN"),
    Field("price_notation", "1(7), 2(24)", "31", "MONE: every price is money"),
    Field("limit_price", "1(8), 2(25)", "24", "limit at the event; of a market order its bound"),
    Field(
        "stop_price", "1(8), 2(25)", "26", "stop at the event; of a trailing one as last written"
    ),
    Field("transaction_price", "1(8), 2(25)", "28", "price of the execution"),
    Field("price_multiplier", "1(9), 2(26)", "", "1: quantities are units, not contracts"),
    Field("currency_1", "1(10), 2(27)", "29", "currency of the price"),
    Field("currency_2", "1(11), 2(28)", "", "currency or thing that is dealt in"),
    Field("initial_quantity", "1(12)", "36", "quantity at the order's first event"),
    Field("quantity_notation", "1(12)", "34", "UNIT"),
    Field("validity", "1(13)", "10", "DAVY, GTCV, GTSV, IOCV or FOKV"),
    Field("valid_until", "1(13)", "12", "when a DAVY or GTSV order ends"),
    Field("order_type", "1(14)", "22", "as FIX OrdType (40) calls it"),
    Field("order_type_class", "1(14)", "23", "LMTO or STOP; empty for the others"),
    Field("passive_only", "1(15)", "43", "whether it is post-only"),
    Field(
        "instructions", "1(15)", "", "all else that the client has asked for, and under which key"
    ),
    Field("transaction_reference", "2(5)", "48", "id of the fill"),
    _lacking("venue_order_id", "2(7)", "", _NO_VENUE),
    _lacking("aggregated_order", "2(8)", "", "each order is dealt by itself"),
    _lacking("venue", "2(9)", "16", _NO_VENUE),
    Field("transmitted_to", "2(10)", "", "provider that has dealt what was passed on"),
    Field("provider_execution_id", "2(10)", "48", "the provider's own id of the execution"),
    Field("buyer", "2(11)", "", "the client's id, or house"),
    Field("seller", "2(11)", "", "the client's id, or house"),
    Field("capacity", "2(12)", "7", "DEAL where the house deals, MTCH where a provider has dealt"),
    _lacking("execution_trader_id", "2(13)", "5", _NO_PERSON),
    Field("execution_algorithm_id", "2(14)", "5", "engine that asked the providers last"),
    _lacking("underlying", "2(17)", "", _NO_TERM),
    _lacking("put_call", "2(18)", "", _NO_TERM),
    _lacking("strike_price", "2(19)", "", _NO_TERM),
    _lacking("upfront_payment", "2(20)", "", _NO_TERM),
    _lacking("delivery_type", "2(21)", "", _NO_TERM),
    _lacking("option_style", "2(22)", "", _NO_TERM),
    _lacking("maturity_on", "2(23)", "", _NO_TERM),
    Field("quantity", "2(30)", "", "quantity at the event, as modified until then"),
    Field("modified_quantity", "2(30)", "", "the new quantity, at an event that changed it"),
    Field("executed_quantity", "2(31)", "39", "quantity of the execution"),
    Field("filled_quantity", "2(31)", "", "all that was executed until then"),
    Field("remaining_quantity", "2(29)", "37", "what may still be executed; 0 once it has ended"),
    Field("liquidity", "2(37)", "44", "PASV if it was waiting as post-only, else AGRE"),
    Field("corrections", "2(37)", "", "what its provider took back or corrected, and the decision"),
    _lacking("venue_messages_at", "2(33)", "", _NO_VENUE),
    Field("provider_messages_at", "2(34)", "", "times of requests and answers, by the market"),
    _lacking("venue_messages", "2(35)", "", _NO_VENUE),
    Field("provider_messages", "2(36)", "", "requests and answers, where it was passed on"),
    _lacking("short_selling", "2(38)", "", "no share is sold: positions are with the house"),
    _lacking("ssr_exemption", "2(39)", "", "no share is sold: positions are with the house"),
    _lacking("waiver", "2(40)", "", _NO_VENUE),
)
"""Every field in the order of the report's columns."""
