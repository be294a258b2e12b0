"""The laws of money, with generated movements on a real database, against a model in Python.

The model knows balances and keys and nothing of SQL, batches or locks. Each example opens holders
of its own in one database; at the end every law of the database is held against all of them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.cast import open_account, open_user, open_wallet, value
from tradewright import audit, ledger
from tradewright.core.errors import TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.core.money import MINOR_UNITS
from tradewright.ledger import HouseCode, Movement
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

USD_WALLETS, EUR_WALLET, USD_ACCOUNT, USD_HOUSE, EUR_HOUSE, NOBODY = (0, 1), 2, 3, 4, 5, 6
PLACES = 7
OPENING = Decimal(100)
AMOUNT_MAX = Decimal("999999999999.99999999")


@dataclass(frozen=True)
class Step:
    """A movement between places of the cast, under a key that may repeat."""

    key: int
    operation: str
    giver: int
    receiver: int
    currency: str
    amount: Decimal


AMOUNTS = st.one_of(
    st.decimals(Decimal("0.01"), Decimal(150), places=2),
    st.sampled_from([Decimal(text) for text in ("0", "-1", "NaN", "Infinity", "0.001", "1E+2")]),
    st.just(Decimal("999999999999.99")),
)
STEPS = st.lists(
    st.builds(
        Step,
        key=st.integers(0, 11),
        operation=st.sampled_from(["deposit", "fee"]),
        giver=st.integers(0, PLACES - 1),
        receiver=st.integers(0, PLACES - 1),
        currency=st.sampled_from(["USD", "USD", "USD", "EUR", "JPY"]),
        amount=AMOUNTS,
    ),
    max_size=25,
)


@dataclass
class Model:
    """What should be: the balance of each client's place, and what was done under each key."""

    balances: dict[int, Decimal] = field(
        default_factory=lambda: {0: OPENING, 1: OPENING, 2: OPENING, 3: Decimal(0)}
    )
    done: dict[tuple[int, str], tuple[int, int, Decimal]] = field(default_factory=dict)

    def take(self, step: Step) -> str:
        """Do a step if it may be done; return done, replay or refused."""
        if not is_amount(step.amount, step.currency):
            return "refused"
        is_passed_on = step.giver in self.balances and step.receiver in self.balances
        words = ["transfer_in", "transfer_out"] if is_passed_on else [step.operation]
        contents = (step.giver, step.receiver, step.amount)
        earlier = [self.done[step.key, word] for word in words if (step.key, word) in self.done]
        if earlier:
            return "replay" if earlier[0] == contents else "refused"
        if not self._is_possible(step):
            return "refused"
        self.done |= {(step.key, word): contents for word in words}
        for place, change in ((step.giver, -step.amount), (step.receiver, step.amount)):
            if place in self.balances:
                self.balances[place] += change
        return "done"

    def _is_possible(self, step: Step) -> bool:
        sides = (step.giver, step.receiver)
        if step.giver == step.receiver or not any(side in self.balances for side in sides):
            return False
        if any(currency_at(side) != step.currency for side in sides):
            return False
        may_be_overdrawn = step.giver == USD_ACCOUNT and step.receiver not in self.balances
        if not may_be_overdrawn and self.balances.get(step.giver, AMOUNT_MAX) < step.amount:
            return False
        after = [
            self.balances[side] + change
            for side, change in zip(sides, (-step.amount, step.amount), strict=True)
            if side in self.balances
        ]
        return all(-AMOUNT_MAX <= balance <= AMOUNT_MAX for balance in after)


def is_amount(amount: Decimal, currency: str) -> bool:
    scale = Decimal(1).scaleb(-MINOR_UNITS[currency])
    return amount.is_finite() and 0 < amount <= AMOUNT_MAX and amount % scale == 0


def currency_at(place: int) -> str | None:
    if place == NOBODY:
        return None
    return "EUR" if place in (EUR_WALLET, EUR_HOUSE) else "USD"


@dataclass(frozen=True)
class Cast:
    """Fresh holders, by place, and a fresh transaction id for each key."""

    session: Session
    ids: list[str]
    transaction_ids: list[str]

    @classmethod
    def opened(cls, session: Session) -> "Cast":
        """Open two USD wallets, one in EUR and an account, beside the house and nobody."""
        user_id = open_user(session)
        ids = [
            open_wallet(session, user_id, str(OPENING)),
            open_wallet(session, open_user(session), str(OPENING)),
            open_wallet(session, user_id, str(OPENING), "EUR"),
            open_account(session, user_id),
            ledger.house_holder_ids(session, "USD")[HouseCode.CLEARING],
            ledger.house_holder_ids(session, "EUR")[HouseCode.CLEARING],
            new_id_text(),
        ]
        return cls(session, ids, [new_id_text() for _ in range(12)])

    def book(self, steps: Sequence[Step]) -> list[str]:
        """Book steps as one batch; return done, replay or refused for each."""
        movements = [
            Movement(
                transaction_id=self.transaction_ids[step.key],
                operation=step.operation,
                debit_id=self.ids[step.giver],
                credit_id=self.ids[step.receiver],
                currency=step.currency,
                amount=step.amount,
            )
            for step in steps
        ]
        with self.session.transaction():
            results = ledger.post_movements(self.session, movements)
        return [
            "refused" if result.error else "replay" if result.is_replay else "done"
            for result in results
        ]

    def balances(self) -> dict[int, object]:
        """Return the balance of each client's place."""
        query = "SELECT available FROM holder_balances WHERE holder_id = %s"
        return {place: value(self.session, query, self.ids[place]) for place in range(4)}

    def entry_count(self) -> object:
        """Return how many entries the places have together."""
        query = "SELECT count(*) FROM balance_ledger WHERE holder_id = ANY(%s::uuid[])"
        return value(self.session, query, self.ids)


@pytest.fixture(scope="module")
def session(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give a session on one database for all examples; hold every law at the end."""
    server.create_database("ledger_laws", template=engine_template)
    with connect(server.conninfo("ledger_laws"), autocommit=True) as opened:
        yield opened
        audit.require_laws(audit.check_laws(opened))
    server.drop_database("ledger_laws")


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_a_batch_does_what_the_model_does(session: Session, steps: list[Step]) -> None:
    cast, model = Cast.opened(session), Model()
    assert cast.book(steps) == [model.take(step) for step in steps]
    assert cast.balances() == model.balances


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, cuts=st.sets(st.integers(1, 24)))
def test_one_batch_equals_its_movements_booked_in_any_parts(
    session: Session, steps: list[Step], cuts: set[int]
) -> None:
    whole, parted, single = (Cast.opened(session) for _ in range(3))
    results = whole.book(steps)
    edges = [0, *sorted(cut for cut in cuts if cut < len(steps)), len(steps)]
    parts = [steps[a:b] for a, b in pairwise(edges)]
    assert [word for part in parts for word in parted.book(part)] == results
    assert [word for step in steps for word in single.book([step])] == results
    assert whole.balances() == parted.balances() == single.balances()
    assert whole.entry_count() == parted.entry_count() == single.entry_count()


@settings(max_examples=30, deadline=None)
@given(steps=STEPS)
def test_what_was_done_is_answered_as_a_replay_and_changes_nothing(
    session: Session, steps: list[Step]
) -> None:
    cast = Cast.opened(session)
    results = cast.book(steps)
    done = [step for step, word in zip(steps, results, strict=True) if word == "done"]
    before = (cast.balances(), cast.entry_count())
    assert cast.book(done) == ["replay"] * len(done)
    assert (cast.balances(), cast.entry_count()) == before


CALLS = st.lists(
    st.tuples(
        st.sampled_from(["credit", "debit", "reserve", "release", "capture"]),
        st.integers(0, 3),
        st.one_of(st.none(), AMOUNTS),
    ),
    max_size=20,
)


@dataclass
class WalletModel:
    """What a wallet should hold: available money and what remains of each hold."""

    available: Decimal = OPENING
    holds: list[Decimal] = field(default_factory=list)

    def call(self, name: str, place: int, amount: Decimal | None) -> bool:
        """Do a call if it may be done; tell whether it was."""
        if name in {"release", "capture"}:
            return self._draw(name, place, amount)
        if amount is None or not is_amount(amount, "USD"):
            return False
        change = amount if name == "credit" else -amount
        is_kept = name != "reserve" or sum(self.holds) + amount <= AMOUNT_MAX
        if not is_kept or not 0 <= self.available + change <= AMOUNT_MAX:
            return False
        self.available += change
        if name == "reserve":
            self.holds.append(amount)
        return True

    def _draw(self, name: str, place: int, amount: Decimal | None) -> bool:
        if place >= len(self.holds) or (amount is not None and not is_amount(amount, "USD")):
            return False
        drawn = self.holds[place] if amount is None else amount
        if self.holds[place] == 0 or drawn > self.holds[place]:
            return False
        if name == "release":
            if self.available + drawn > AMOUNT_MAX:
                return False
            self.available += drawn
        self.holds[place] -= drawn
        return True


@settings(max_examples=60, deadline=None)
@given(calls=CALLS)
def test_the_functions_do_what_the_model_does(
    session: Session, calls: list[tuple[str, int, Decimal | None]]
) -> None:
    user_id, model, hold_ids = open_user(session), WalletModel(), list[str]()
    open_wallet(session, user_id, str(OPENING))
    for name, place, amount in calls:
        hold_id = hold_ids[place] if place < len(hold_ids) else new_id_text()
        try:
            reply = call(session, name, user_id if name not in DRAWS else hold_id, amount)
        except TradewrightError as error:
            note(f"{name} {amount}: {error.code}")
            reply = None
        assert model.call(name, place, amount) is (reply is not None)
        if reply is None:
            continue
        assert (reply.available, reply.reserved) == (model.available, sum(model.holds, Decimal(0)))
        if name == "reserve":
            hold_ids.append(str(reply.hold_id))


DRAWS = {"release": ledger.release, "capture": ledger.capture}


def call(session: Session, name: str, subject: str, amount: Decimal | None) -> ledger.LedgerReply:
    """Call one of the ledger's functions under a new transaction id."""
    key = new_id_text()
    if name in DRAWS:
        return DRAWS[name](session, subject, transaction_id=key, amount=amount)
    sent = Decimal("NaN") if amount is None else amount
    if name == "reserve":
        return ledger.reserve(session, subject, "USD", sent, transaction_id=key, purpose="order")
    move = ledger.credit if name == "credit" else ledger.debit
    return move(session, subject, "USD", sent, transaction_id=key)
