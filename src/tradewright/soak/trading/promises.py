"""Holds what clients and providers were told against what the database kept.

What a client was told is done must be there as it was told: the order in a state through which it
has gone, the money moved once, the pairing booked. What was refused must not be there. What a
provider has dealt must be in fills, or set aside, as much as it has dealt. What the back office has
decided stands once, and has moved what such a decision moves.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from tradewright.soak.trading.asking import Outcome
from tradewright.soak.trading.office import Ruling
from tradewright.soak.trading.replay.orders import OrderReplay, replayed_orders
from tradewright.soak.trading.replay.record import (
    CloseBy,
    Difference,
    Entry,
    Order,
    Record,
    Settlement,
)
from tradewright.soak.trading.venue import Dealt
from tradewright.trading.amendments import AmendPosition, AmendReport
from tradewright.trading.model import (
    CancelOrder,
    ClosePosition,
    MoneyReport,
    MoveMoney,
    OrderReport,
    OrderStatus,
    ReplaceOrder,
    SubmitOrder,
)
from tradewright.trading.pairings import CloseBy as Pair
from tradewright.trading.pairings import CloseByReport

EXAMPLES_MAX = 12

_NOTHING = Decimal(0)


@dataclass(slots=True)
class Findings:
    """What was found; everything must be zero."""

    lost: int = 0
    duplicated: int = 0
    foreign: int = 0
    misreported: int = 0
    differing: int = 0
    in_flight: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def is_sound(self) -> bool:
        """Whether nothing was lost, doubled, foreign, misreported, different or left in flight."""
        found = (self.lost, self.duplicated, self.foreign, self.misreported)
        return not any((*found, self.differing, self.in_flight))

    def note(self, what: str) -> None:
        """Keep an example of what was found."""
        if len(self.examples) < EXAMPLES_MAX:
            self.examples.append(what)

    def differ(self, differences: Iterable[Difference]) -> None:
        """Count differences and name them."""
        for difference in differences:
            self.differing += 1
            self.note(str(difference))


class Keeper:
    """Asks what became of each promise; what nobody was promised is left over."""

    def __init__(self, record: Record, findings: Findings, openings: frozenset[str]) -> None:
        self._findings = findings
        self._replays: Mapping[str, OrderReplay] = replayed_orders(record)
        self._orders: dict[tuple[str, str], Order] = {}
        for order in record.orders:
            key = (order.account_id, order.client_order_id)
            if self._orders.setdefault(key, order) is not order:
                self._doubled(f"order {key} is there twice")
        self._replacements = {(one.account_id, one.key): one for one in record.replacements}
        self._pairings: dict[str, CloseBy] = {one.id: one for one in record.close_bys}
        self._amendments = {
            (one.account_id, one.key): one for one in record.amendments if one.is_named
        }
        self._moves: dict[str, list[Entry]] = defaultdict(list)
        for entry in record.entries:
            if entry.operation in {"transfer_out", "transfer_in"}:
                self._moves[entry.transaction_id].append(entry)
        self._awaited = {
            *(key for key, order in self._orders.items() if order.origin == "client"),
            *self._pairings,
            *self._amendments,
            *self._replacements,
            *(set(self._moves) - openings),
        }

    def hold(self, outcome: Outcome) -> None:
        """Hold what one command was answered against the record."""
        if outcome.word not in {"done", "refused", "nothing"} or outcome.sent is None:
            return
        is_done = outcome.word == "done"
        match outcome.sent:
            case SubmitOrder() as sent:
                self._order((sent.account_id, sent.client_order_id), outcome, sent.quantity)
            case ClosePosition(client_order_id=str(key)) as close:
                self._order((close.account_id, key), outcome, close.quantity)
            case CancelOrder() as cancel if is_done:
                self._order((cancel.account_id, cancel.client_order_id), outcome, None)
            case ReplaceOrder() as replacement:
                self._replacement(replacement, outcome, is_done=is_done)
            case Pair() as pair:
                self._pairing(pair, outcome, is_done=is_done)
            case AmendPosition() as sent:
                self._amendment(sent, outcome, is_done=is_done)
            case MoveMoney() as move:
                self._money(move, outcome, is_done=is_done)

    def finish(self) -> None:
        """Note what is in the database and was promised to nobody."""
        for key in self._awaited:
            self._findings.foreign += 1
            self._findings.note(f"{key} is in the database and no client was told so")

    def _order(self, key: tuple[str, str], outcome: Outcome, quantity: Decimal | None) -> None:
        order, report = self._orders.get(key), outcome.report
        if outcome.word != "done":
            if order is not None and key in self._awaited:
                self._wrong(f"order {key} is there, and was answered {outcome.code or 'nothing'}")
            return
        self._awaited.discard(key)
        if order is None or not isinstance(report, OrderReport):
            self._lost(f"order {key} was acknowledged and is not there")
            return
        told = (report.status.value, report.filled_quantity, report.average_price)
        stood = self._replays[order.id].stood if order.id in self._replays else set()
        if order.id != report.order_id or told not in stood:
            self._wrong(f"order {order.id} was told as {told} and never stood so")
        asked = self._replays[order.id].asked
        if quantity is not None and asked not in {None, quantity}:
            self._wrong(f"order {order.id} is of {asked}, {quantity} were asked for")

    def _replacement(self, sent: ReplaceOrder, outcome: Outcome, *, is_done: bool) -> None:
        key = (sent.account_id, sent.new_client_order_id)
        kept, report = self._replacements.get(key), outcome.report
        if not is_done:
            if kept is not None and key in self._awaited:
                self._wrong(f"replacement {key} is there, and was refused")
            return
        self._awaited.discard(key)
        if isinstance(report, OrderReport) and report.status is OrderStatus.PENDING_REPLACE:
            self._waited(sent, report)
        elif kept is None or not isinstance(report, OrderReport):
            self._lost(f"replacement {key} was acknowledged and is not there")
        elif kept.order_id != report.order_id or sent.quantity not in {None, kept.quantity}:
            self._wrong(f"replacement {key} was told as {report}, and is {kept}")

    def _waited(self, sent: ReplaceOrder, report: OrderReport) -> None:
        """Hold a replacement that waited for a provider: it may have been refused since."""
        told = (report.status.value, report.filled_quantity, report.average_price)
        replay = self._replays.get(report.order_id)
        if replay is None or told not in replay.stood:
            self._wrong(f"replacement {sent} was told as {told}, and its order never stood so")

    def _pairing(self, pair: Pair, outcome: Outcome, *, is_done: bool) -> None:
        kept, report = self._pairings.get(pair.close_by_id), outcome.report
        if not is_done:
            if kept is not None and pair.close_by_id in self._awaited:
                self._wrong(f"pairing {pair.close_by_id} is there, and was refused")
            return
        self._awaited.discard(pair.close_by_id)
        if kept is None or not isinstance(report, CloseByReport):
            self._lost(f"pairing {pair.close_by_id} was acknowledged and is not there")
        elif (kept.quantity, kept.price) != (report.quantity, report.price):
            self._wrong(f"pairing {pair.close_by_id} was told as {report}, and is {kept}")

    def _amendment(self, sent: AmendPosition, outcome: Outcome, *, is_done: bool) -> None:
        key = (sent.account_id, sent.amendment_id)
        kept, report = self._amendments.get(key), outcome.report
        if not is_done:
            if kept is not None and key in self._awaited:
                self._wrong(f"amendment {key} is there, and was refused")
            return
        self._awaited.discard(key)
        if kept is None or not isinstance(report, AmendReport):
            self._lost(f"amendment {key} was acknowledged and is not there")
        elif (kept.stop_loss, kept.take_profit) != (report.stop_loss, report.take_profit):
            self._wrong(f"amendment {key} was told as {report}, and is {kept}")

    def _money(self, move: MoveMoney, outcome: Outcome, *, is_done: bool) -> None:
        entries, report = self._moves.get(move.transaction_id, []), outcome.report
        if not is_done:
            if entries and move.transaction_id in self._awaited:
                self._wrong(f"transfer {move.transaction_id} is there, and was refused")
            return
        self._awaited.discard(move.transaction_id)
        if not entries or not isinstance(report, MoneyReport):
            self._lost(f"transfer {move.transaction_id} was acknowledged and is not there")
            return
        if [entry.amount for entry in entries] != [move.amount] * 2:
            self._doubled(f"transfer {move.transaction_id} of {move.amount} is {entries}")
        after = next((e.available_after for e in entries if e.holder_id == move.account_id), None)
        if not report.is_replay and report.balance != after:
            self._wrong(f"transfer {move.transaction_id} was told {report.balance}, not {after}")

    def _lost(self, what: str) -> None:
        self._findings.lost += 1
        self._findings.note(what)

    def _doubled(self, what: str) -> None:
        self._findings.duplicated += 1
        self._findings.note(what)

    def _wrong(self, what: str) -> None:
        self._findings.misreported += 1
        self._findings.note(what)


def hold_executions(record: Record, dealt: Iterable[Dealt], findings: Findings) -> None:
    """Hold what providers have dealt against what was booked or set aside of it."""
    kept: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for fill in record.fills:
        if fill.execution_id is not None:
            kept[fill.provider, fill.execution_id] += fill.quantity
    for hedged in record.hedge_fills:
        kept[hedged.provider, hedged.execution_id] += abs(hedged.quantity)
    for aside in record.set_aside:
        kept[aside.provider, aside.execution_id] += aside.quantity
    for one in dealt:
        found = kept.pop((one.provider, one.execution_id), _NOTHING)
        if found < one.quantity:
            findings.lost += 1
            findings.note(f"execution {one.execution_id} of {one.quantity} is kept as {found}")
        elif found > one.quantity:
            findings.duplicated += 1
            findings.note(f"execution {one.execution_id} of {one.quantity} is kept as {found}")
    for provider, execution_id in kept:
        findings.foreign += 1
        findings.note(f"execution {execution_id} is kept and {provider} has not dealt it")


def hold_rulings(record: Record, rulings: Iterable[Ruling], findings: Findings) -> None:
    """Hold what the office was told is settled against the settlements and what they moved."""
    kept = {one.execution_id: one for one in record.settlements}
    for ruling in rulings:
        if ruling.settlement is None:
            continue
        found = kept.pop(ruling.key, None)
        if found is None:
            findings.lost += 1
            findings.note(f"{ruling.kind} {ruling.key} was settled and is not there")
        elif found.settlement != ruling.settlement or not _moved_as_it_says(found):
            findings.misreported += 1
            findings.note(f"{ruling.kind} {ruling.key} was {ruling.settlement}, and is {found}")
    for key in kept:
        findings.foreign += 1
        findings.note(f"correction {key} is settled and nobody was told so")


def _moved_as_it_says(settlement: Settlement) -> bool:
    moved = settlement.reversals, settlement.adjustments
    match settlement.settlement:
        case "reversed":
            return moved == (1, 0)
        case "adjusted":
            return moved[0] == 0 < moved[1]
        case _:
            return moved == (0, 0)
