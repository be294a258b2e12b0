"""Two chains of coins: transfers that confirm block by block, and blocks that are taken back.

A transfer is named by chain, transaction and output, because one transaction may pay one user
twice, and two chains may know the same transaction. A transfer that a reorganisation drops is
final; if it is mined again it is another one, told apart by its round. Coins count in hundred
millionths, the ledger's scale.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from tradewright.core.clock import utc_now
from tradewright.core.errors import ErrorCode, StateError
from tradewright.core.ids import new_id
from tradewright.payments.claims import Claim
from tradewright.payments.model import CHAINS, Payment, PaymentKind, PaymentStatus, Provider
from tradewright.payments.providers.booking import Booking, as_csv
from tradewright.payments.providers.event import (
    ProviderEvent,
    count_of,
    id_of,
    malformed,
    read_object,
    text_of,
    units_of,
)
from tradewright.payments.providers.sender import WebhookSender
from tradewright.payments.send_backs import SuspenseReturn

UNIT = Decimal("0.00000001")


class Confirmations(NamedTuple):
    """From how many blocks on a deposit is credited, and from how many it is final."""

    credited: int
    final: int


CONFIRMATIONS: Mapping[str, Confirmations] = MappingProxyType(
    {"btc": Confirmations(1, 3), "eth": Confirmations(5, 64)}
)
CURRENCIES: Mapping[str, str] = MappingProxyType({chain: coin for coin, chain in CHAINS.items()})
PAYOUTS: Mapping[str, PaymentStatus] = MappingProxyType(
    {
        "payout.broadcast": PaymentStatus.PROCESSING,
        "payout.confirmed": PaymentStatus.SUCCEEDED,
        "payout.failed": PaymentStatus.FAILED,
    }
)


def read_event(body: bytes) -> ProviderEvent:
    """Return what a message tells.

    Raises:
        InputError: WEBHOOK_BODY_MALFORMED.

    """
    fields = read_object(body)
    event_type, chain = text_of(fields, "type"), text_of(fields, "chain")
    if chain not in CONFIRMATIONS:
        raise malformed(f'Its chain is "{chain}".')
    is_payout = event_type in PAYOUTS
    return ProviderEvent(
        event_type=event_type,
        kind=PaymentKind.WITHDRAWAL if is_payout else PaymentKind.DEPOSIT,
        reference=_reference(chain, fields),
        status=PAYOUTS[event_type] if is_payout else _status(event_type, chain, fields),
        currency=CURRENCIES[chain],
        amount=units_of(fields, "value") * UNIT,
        payment_id=id_of(fields, "metadata_id"),
        address=None if is_payout else text_of(fields, "address"),
        reason="a reorganisation dropped the transfer" if event_type == "transfer.dropped" else "",
    )


def _reference(chain: str, fields: Mapping[str, Any]) -> str:
    # Both chains write transactions in hexadecimal digits, in capitals or not.
    txid = text_of(fields, "txid").lower()
    name = f"{chain}:{txid}:{count_of(fields, 'output')}"
    mined_round = count_of(fields, "round")
    return f"{name}#{mined_round}" if mined_round else name


def _status(event_type: str, chain: str, fields: Mapping[str, Any]) -> PaymentStatus:
    if event_type == "transfer.dropped":
        return PaymentStatus.REVERSED
    if event_type != "transfer.seen":
        raise malformed(f'Its type is "{event_type}".')
    count, needed = count_of(fields, "confirmations"), CONFIRMATIONS[chain]
    if count >= needed.final:
        return PaymentStatus.SUCCEEDED
    return PaymentStatus.UNCONFIRMED if count >= needed.credited else PaymentStatus.PROCESSING


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """Coins on their way; `block` is None until they are mined."""

    chain: str
    txid: str
    output: int
    address: str
    value: int
    block: int | None = None
    round: int = 0
    payment_id: str | None = None


class ChainSimulator:
    """Two chains with their blocks; each new block and each dropped one is told by webhook."""

    code = Provider.CHAIN

    def __init__(self, sender: WebhookSender) -> None:
        self._sender = sender
        self._heights = dict.fromkeys(CONFIRMATIONS, 0)
        self._transfers: list[Transfer] = []
        self._bookings: list[Booking] = []

    def new_address(self, chain: str) -> str:
        """Return an address that nobody had before."""
        return f"{chain}1{new_id().hex}"

    def submit(self, payment: Payment) -> None:
        """Broadcast a withdrawal; deposits are not asked for, they arrive.

        Raises:
            StateError: PAYMENT_ROUTE_MISSING when it is of no coin.

        """
        if payment.kind is PaymentKind.DEPOSIT or any(
            each.payment_id == payment.id for each in self._transfers
        ):
            return
        if payment.currency not in CHAINS:
            raise StateError(
                ErrorCode.PAYMENT_ROUTE_MISSING,
                f'withdrawal "{payment.id}" cannot be sent over a chain',
                why=f"{payment.currency} is no coin of one.",
                hint="Have it paid out another way.",
            )
        self._broadcast(payment.id, payment.destination or "", payment.currency, payment.amount)

    def send_back(self, order: SuspenseReturn) -> None:
        """Broadcast coins that the house has refused, to the address that an officer was given."""
        if all(each.payment_id != order.id for each in self._transfers):
            self._broadcast(order.id, order.destination or "", order.currency, order.amount)

    def _broadcast(self, order_id: str, address: str, currency: str, amount: Decimal) -> None:
        transfer = Transfer(
            chain=CHAINS[currency],
            txid=order_id.replace("-", ""),
            output=0,
            address=address,
            value=int(amount / UNIT),
            payment_id=order_id,
        )
        self._transfers.append(transfer)
        self._tell(transfer, "payout.broadcast")

    def refund(self, claim: Claim, reference: str) -> None:
        """Refuse: coins are sent back by a withdrawal, and never by the chain.

        Raises:
            StateError: PAYMENT_REFUND_REFUSED.

        """
        raise StateError(
            ErrorCode.PAYMENT_REFUND_REFUSED,
            f'claim "{claim.id}" cannot be refunded on a chain',
            why=f'The sender of "{reference}" may not hold the address that it came from.',
            hint="Let the user withdraw to an address of theirs.",
        )

    def send_coins(self, transfer: Transfer) -> None:
        """Let somebody send coins to an address; they wait to be mined."""
        self._transfers.append(transfer)
        self._tell(transfer, "transfer.seen")

    def mine(self, chain: str, blocks: int = 1) -> None:
        """Add blocks: what waits is mined in the first, and all transfers are confirmed on."""
        for _ in range(blocks):
            self._heights[chain] += 1
            height = self._heights[chain]
            for place, each in enumerate(self._transfers):
                if each.chain == chain and each.block is None:
                    self._transfers[place] = replace(each, block=height)
            for each in self._transfers:
                if each.chain == chain and each.block is not None:
                    self._confirm(each, height - each.block + 1)

    def reorganise(self, chain: str, depth: int, *, is_mined_again: bool = False) -> None:
        """Take the last `depth` blocks back; deposits in them are dropped or mined again later."""
        self._heights[chain] -= depth
        for place, each in enumerate(self._transfers):
            is_dropped = (each.block or 0) > self._heights[chain] and each.payment_id is None
            if each.chain != chain or not is_dropped:
                continue
            self._tell(each, "transfer.dropped")
            dropped = _booking("refund", each)
            if any((b.kind, b.reference) == ("deposit", dropped.reference) for b in self._bookings):
                self._bookings.append(dropped)
            again = replace(each, block=None, round=each.round + 1)
            self._transfers[place] = again if is_mined_again else replace(each, block=-1)
        self._transfers = [each for each in self._transfers if each.block != -1]

    def statement(self, day: date) -> bytes:
        """Return what became final on a UTC day, as CSV."""
        return as_csv([each for each in self._bookings if each.booked_on == day])

    def _confirm(self, transfer: Transfer, confirmations: int) -> None:
        final = CONFIRMATIONS[transfer.chain].final
        if transfer.payment_id is None and confirmations <= final:
            self._tell(transfer, "transfer.seen", confirmations)
        elif confirmations == final:
            self._tell(transfer, "payout.confirmed")
        if confirmations == final:
            kind = "withdrawal" if transfer.payment_id else "deposit"
            self._bookings.append(_booking(kind, transfer))

    def _tell(self, transfer: Transfer, name: str, confirmations: int = 0) -> None:
        told: dict[str, object] = {
            "type": name,
            "chain": transfer.chain,
            "txid": transfer.txid,
            "output": transfer.output,
            "round": transfer.round,
            "address": transfer.address,
            "value": str(transfer.value),
            "confirmations": confirmations,
        }
        if transfer.payment_id:
            told["metadata_id"] = transfer.payment_id
        self._sender.send(told)


def _booking(kind: str, transfer: Transfer) -> Booking:
    fields = {"txid": transfer.txid, "output": transfer.output, "round": transfer.round}
    return Booking(
        kind=kind,
        reference=_reference(transfer.chain, fields),
        currency=CURRENCIES[transfer.chain],
        amount=transfer.value * UNIT,
        fee=Decimal(0),
        booked_on=utc_now().date(),
    )
