"""What each command must have done to the ledger, if its client was told that it was done.

This is the soak's own idea of the ledger, written without it: from a command and what was answered
to the entries that must exist, on which holder, with which effect and amount.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from hashlib import md5
from uuid import UUID

from tradewright.core.money import minor_unit
from tradewright.ledger import LedgerReply
from tradewright.soak.ledger.calls import BATCH_OPERATION, Cast, Outcome, asked
from tradewright.soak.ledger.commands import GROUPS, Command, Kind

_WITHOUT_EFFECT = frozenset({Kind.REPEAT, Kind.CONTRADICT, Kind.EXPIRE, Kind.FREEZE, Kind.ACTIVATE})

EffectKey = tuple[str, str]
"""The transaction id and the operation of an entry."""

WalletIds = dict[tuple[str, str], str]
"""Holder id by the user's id and the currency."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One entry that must exist; without an amount, it took all that was left then.

    `reverses` is the entry that it takes back; `told` is what the client was answered about it.
    """

    key: EffectKey
    holder_id: str
    effect: str
    amount: Decimal | None
    reverses: EffectKey | None = None
    told: LedgerReply | None = None


@dataclass(frozen=True, slots=True)
class EffectFinder:
    """Finds the effects of a session's commands among the cast and its wallets."""

    cast: Cast
    wallet_ids: WalletIds

    def effects(self, commands: Sequence[Command], outcomes: Sequence[Outcome]) -> Iterator[Effect]:
        """Yield what the commands of one session must have done."""
        for command, outcome in zip(commands, outcomes, strict=True):
            if outcome.word != "done":
                continue
            if command.kind is Kind.BATCH:
                yield from self._of_batch(command, outcome)
            elif command.kind in {Kind.TO_ACCOUNT, Kind.TO_WALLET}:
                yield from self._of_transfer(command, outcome)
            elif command.kind is Kind.EXCHANGE:
                yield from self._of_exchange(command, outcome)
            elif command.kind in GROUPS:
                yield from _of_group(command, outcome)
            elif command.kind is Kind.REVERSE and command.target is not None:
                yield self._of_reversal(command, commands[command.target], outcome)
            elif command.kind not in _WITHOUT_EFFECT:
                yield self._of_call(command, outcome)

    def _wallet(self, command: Command) -> str:
        return self.wallet_ids[self.cast.user_ids[command.user], command.currency]

    def _of_call(self, command: Command, outcome: Outcome) -> Effect:
        word = str(command.kind)
        return Effect(
            (command.key, word), self._wallet(command), word, command.amount, told=outcome.reply
        )

    def _of_transfer(self, command: Command, outcome: Outcome) -> Iterator[Effect]:
        account = self.cast.account_ids[command.user]
        sides = (self._wallet(command), account)
        giver, receiver = sides if command.kind is Kind.TO_ACCOUNT else reversed(sides)
        for word, holder, effect in (
            ("transfer_out", giver, "debit"),
            ("transfer_in", receiver, "credit"),
        ):
            told = outcome.reply if holder == account else None
            yield Effect((command.key, word), holder, effect, command.amount, told=told)

    def _of_exchange(self, command: Command, outcome: Outcome) -> Iterator[Effect]:
        """Yield both sides; what is received is computed anew, rounded down."""
        wanted = asked(command)
        exact = wanted.amount * wanted.mid_rate * (1 - wanted.spread)
        received = exact.quantize(minor_unit(wanted.to_currency), rounding=ROUND_DOWN)
        user_id = self.cast.user_ids[command.user]
        giver = self.wallet_ids[user_id, wanted.from_currency]
        receiver = self.wallet_ids[user_id, wanted.to_currency]
        yield Effect((command.key, "exchange_out"), giver, "debit", wanted.amount)
        yield Effect((command.key, "exchange_in"), receiver, "credit", received, told=outcome.reply)

    def _of_reversal(self, command: Command, target: Command, outcome: Outcome) -> Effect:
        effect = "debit" if target.kind is Kind.CREDIT else "credit"
        return Effect(
            (command.key, "reversal"),
            self._wallet(target),
            effect,
            command.amount,
            reverses=(target.key, str(target.kind)),
            told=outcome.reply,
        )

    def _of_batch(self, command: Command, outcome: Outcome) -> Iterator[Effect]:
        for move, word in zip(command.moves, outcome.words, strict=True):
            if word not in {"done", "replay"}:
                continue
            giver, receiver = self.cast.place(move.giver), self.cast.place(move.receiver)
            is_passed_on = self.cast.clearing_id not in {giver, receiver}
            out_word, in_word = (
                ("transfer_out", "transfer_in") if is_passed_on else (BATCH_OPERATION,) * 2
            )
            if giver != self.cast.clearing_id:
                yield Effect((move.key, out_word), giver, "debit", move.amount)
            if receiver != self.cast.clearing_id:
                yield Effect((move.key, in_word), receiver, "credit", move.amount)


def _of_group(command: Command, outcome: Outcome) -> Iterator[Effect]:
    """Yield one effect for each hold of a group; each has a key of its own."""
    word = "release" if command.kind is Kind.RELEASE_GROUP else "capture"
    for place, reply in enumerate(outcome.replies, start=1):
        digest = md5(f"{command.key}{place}".encode(), usedforsecurity=False)
        key = (str(UUID(bytes=digest.digest())), word)
        yield Effect(key, reply.holder_id, word, None, told=reply)
