"""What each command must have done to the ledger, if its client was told that it was done.

This is the soak's own idea of the ledger, written without it: from a command and what was answered
to the entries that must exist, on which holder, with which effect and amount.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tradewright.ledger import LedgerReply
from tradewright.soak.calls import BATCH_OPERATION, Cast, Outcome
from tradewright.soak.commands import Command, Kind

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
            elif command.kind is Kind.REVERSE and command.target is not None:
                yield self._of_reversal(command, commands[command.target], outcome)
            elif command.kind not in {Kind.REPEAT, Kind.CONTRADICT, Kind.EXPIRE}:
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
