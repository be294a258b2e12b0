"""The simulated providers over real HTTP: signed, late, twice, in any order, to the last cent."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.cast import open_user, value
from tests.conftest import OpenSession
from tests.news import deposited, news, settled_user, start, tell, wallet
from tradewright import audit, ledger, payments
from tradewright.core.clock import pause, utc_now
from tradewright.core.errors import ErrorCode, StateError, TradewrightError
from tradewright.core.ids import new_id_text
from tradewright.payments import (
    ClaimKind,
    ClaimOrder,
    ClaimStatus,
    PaymentKind,
    PaymentStatus,
    Provider,
)
from tradewright.payments.providers.cards import CardSimulator
from tradewright.payments.providers.chain import ChainSimulator, Transfer
from tradewright.payments.providers.sender import Manners, WebhookSender
from tradewright.payments.reconciliation.model import Bucket
from tradewright.payments.reconciliation.service import compare, import_statement, reconcile
from tradewright.payments.submission import submit_due
from tradewright.payments.webhooks import receiver
from tradewright.payments.webhooks.post import Answer, Endpoint, post
from tradewright.payments.webhooks.receiver import BODY_BYTES_MAX, webhook_server
from tradewright.payments.webhooks.signature import new_secret, sign
from tradewright.postgres.connect import Session
from tradewright.postgres.retry import same_connection

OLD, NEW = new_secret(), new_secret()


@pytest.fixture(autouse=True)
def laws_hold(engine: Session) -> Iterator[None]:
    """Hold every law after each of these tests, whatever it did."""
    yield
    audit.require_laws(audit.check_laws(engine))


@pytest.fixture
def address(open_session: OpenSession) -> Iterator[str]:
    """Serve the inbox on the loopback and give its address."""
    secrets = {Provider.CARDS: (NEW, OLD), Provider.CHAIN: (NEW,)}
    with webhook_server(same_connection(open_session()), secrets) as given:
        yield given


def sender(address: str, name: str, **manners: object) -> WebhookSender:
    endpoint = Endpoint(f"{address}/v1/webhooks/{name}", (NEW,))
    return WebhookSender(endpoint, name, Manners(duplicate_chance_percent=50, **manners), seed=7)  # type: ignore[arg-type]


def send(address: str, body: bytes, headers: dict[str, str], path: str = "cards") -> int:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=10)
    try:
        connection.request("POST", f"/v1/webhooks/{path}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def status(session: Session, payment: payments.Payment) -> PaymentStatus:
    return payments.find_payment(session, payment.id).status


def test_a_day_of_cards_ends_right_whatever_the_network_does(engine: Session, address: str) -> None:
    queue = sender(address, "cards", delay_ms_max=3)
    cards = CardSimulator(queue)
    user_id, payer_id = settled_user(engine), settled_user(engine, "1000")
    kept, declined, refunded, disputed = (start(engine, user_id) for _ in range(4))
    paid, returned = (start(engine, payer_id, kind=PaymentKind.WITHDRAWAL) for _ in range(2))
    cards.declines.add(declined.id)
    assert submit_due(engine, cards) == 6
    queue.deliver()
    order, officer_id = refund_order(), open_user(engine, role="payments_officer")
    with engine.transaction():
        payments.request_refund(engine, order, payment_id=refunded.id, officer_id=officer_id)
    cards.dispute(disputed.id, Decimal(100), "dp_1")
    cards.decide("dp_1", is_lost=True)
    cards.return_payout(returned.id)
    assert (submit_due(engine, cards), submit_due(engine, cards)) == (1, 0)
    queue.deliver()
    assert queue.lost == []
    ends = [status(engine, each) for each in (kept, declined, paid, returned)]
    assert ends == ["succeeded", "failed", "succeeded", "failed"]
    assert value(engine, "SELECT count(*) FROM webhook_events WHERE status = 'waiting'") == 0
    assert (wallet(engine, user_id), wallet(engine, payer_id)) == ((160, 0), (900, 0))
    today = utc_now().date()
    with engine.transaction():
        import_statement(engine, Provider.CARDS, cards.bank_statement(today))
        counts = reconcile(engine, Provider.CARDS, since=today - timedelta(days=1))
    assert {bucket: count for bucket, count in counts.items() if count} == {"matched": 8}


def test_coins_are_credited_held_and_released_block_by_block(engine: Session, address: str) -> None:
    queue = sender(address, "chain")
    chain = ChainSimulator(queue)
    user_id = coin_user(engine, chain)
    chain.send_coins(coins(engine, value_=150_000_000))
    queue.deliver()
    assert wallet(engine, user_id, "BTC") == (0, 0)
    chain.mine("btc")
    queue.deliver()
    assert wallet(engine, user_id, "BTC") == (0, Decimal("1.5"))
    chain.mine("btc", 2)
    queue.deliver()
    assert wallet(engine, user_id, "BTC") == (Decimal("1.5"), 0)


def test_two_outputs_and_two_chains_are_deposits_each(engine: Session, address: str) -> None:
    """Case 44."""
    queue = sender(address, "chain")
    chain = ChainSimulator(queue)
    user_id = coin_user(engine, chain)
    for output in range(2):
        chain.send_coins(coins(engine, output=output))
    chain.send_coins(coins(engine, name="eth"))
    chain.mine("btc", 3)
    chain.mine("eth", 64)
    queue.deliver()
    assert wallet(engine, user_id, "BTC") == (2, 0)
    assert wallet(engine, user_id, "ETH") == (1, 0)


@pytest.mark.parametrize("depth", [1, 3], ids=["while held", "after it was spent"])
def test_a_reorganisation_takes_a_credited_deposit_back(
    engine: Session, address: str, depth: int
) -> None:
    """Case 45: the hold goes first; what was spent after it was final is owed."""
    queue = sender(address, "chain")
    chain = ChainSimulator(queue)
    user_id = coin_user(engine, chain)
    chain.send_coins(coins(engine))
    chain.mine("btc", depth)
    queue.deliver()
    if depth == 3:
        ledger.debit(engine, user_id, "BTC", Decimal("0.4"), transaction_id=new_id_text())
    chain.reorganise("btc", depth, is_mined_again=True)
    queue.deliver()
    owed = {"BTC": Decimal("0.4")} if depth == 3 else {}
    assert (wallet(engine, user_id, "BTC"), payments.read_debts(engine, user_id)) == ((0, 0), owed)
    chain.mine("btc", 3)
    queue.deliver()
    assert wallet(engine, user_id, "BTC") == (1 - sum(owed.values()), 0)
    assert payments.read_debts(engine, user_id) == {}
    with engine.transaction():
        import_statement(engine, Provider.CHAIN, chain.statement(utc_now().date()))
    found = compare(engine, Provider.CHAIN, since=utc_now().date())
    told = ["deposit", "deposit", "refund"] if depth == 3 else ["deposit"]
    assert [(each.key.kind, each.bucket) for each in found] == [
        (kind, Bucket.MATCHED) for kind in told
    ]


def coin_user(session: Session, chain: ChainSimulator) -> str:
    """Open a user with an address on each chain, and a rate for each coin."""
    user_id = settled_user(session, kyc_level=4)
    for name, currency in (("btc", "BTC"), ("eth", "ETH")):
        payments.assign_address(
            session,
            Provider.CHAIN,
            chain.new_address(name),
            user_id=user_id,
            currency=currency,
        )
        observed = payments.RateObserved(
            base=currency, quote="USD", rate=Decimal(20000), source="t", observed_at=utc_now()
        )
        payments.record_rates(session, [observed])
    return user_id


def coins(
    session: Session, *, name: str = "btc", output: int = 0, value_: int = 100_000_000
) -> Transfer:
    """Return coins on their way to the one address of a chain."""
    to = value(session, "SELECT address FROM deposit_addresses WHERE currency = %s", name.upper())
    return Transfer(chain=name, txid="ab" * 32, output=output, address=str(to), value=value_)


def test_coins_at_an_unknown_address_wait_and_credit_nobody(engine: Session, address: str) -> None:
    queue = sender(address, "chain")
    chain = ChainSimulator(queue)
    transfer = Transfer(chain="btc", txid="cd", output=0, address="btc1nobody", value=5)
    chain.send_coins(transfer)
    queue.deliver()
    assert value(engine, "SELECT status FROM webhook_events") == "waiting"
    assert value(engine, "SELECT count(*) FROM payment_transactions") == 0


def test_coins_over_the_limit_arrive_and_wait_for_an_officer(engine: Session, address: str) -> None:
    queue = sender(address, "chain")
    chain = ChainSimulator(queue)
    user_id = coin_user(engine, chain)
    engine.execute("UPDATE users SET kyc_level = 1 WHERE id = %s", (user_id,))
    chain.send_coins(coins(engine))
    chain.mine("btc", 3)
    queue.deliver()
    payment = payments.list_payments(engine)[0]
    assert payment.status is PaymentStatus.REQUIRES_APPROVAL
    found = payments.read_fraud_checks(engine, payment.id)[0]["findings"]
    assert found["limit_exceeded"]["points"] == 30
    assert wallet(engine, user_id, "BTC") == (0, 0)


def test_a_chain_pays_out(engine: Session, address: str) -> None:
    queue = sender(address, "chain")
    chain = ChainSimulator(queue)
    user_id = coin_user(engine, chain)
    ledger.credit(engine, user_id, "BTC", Decimal(1), transaction_id=new_id_text())
    request = payments.PaymentRequest(
        payment_id=new_id_text(),
        user_id=user_id,
        kind=PaymentKind.WITHDRAWAL,
        currency="BTC",
        amount=Decimal("0.5"),
        provider=Provider.CHAIN,
        destination="btc1elsewhere",
    )
    with engine.transaction():
        payments.start_payment(engine, request)
    assert submit_due(engine, chain) == 1
    chain.mine("btc", 3)
    queue.deliver()
    assert wallet(engine, user_id, "BTC") == (Decimal("0.5"), 0)


def refund_order(amount: str = "40") -> ClaimOrder:
    return ClaimOrder(
        claim_id=new_id_text(), kind=ClaimKind.REFUND, amount=Decimal(amount), reason="asked"
    )


def test_what_came_directly_or_as_coins_is_not_refunded_and_nothing_is_set_aside(
    engine: Session, address: str
) -> None:
    queue = sender(address, "chain")
    chain = ChainSimulator(queue)
    user_id, officer_id = coin_user(engine, chain), open_user(engine, role="payments_officer")
    chain.send_coins(coins(engine, value_=150_000_000))
    chain.mine("btc", 3)
    queue.deliver()
    [arrived] = payments.list_payments(engine, user_id=user_id)
    direct = payments.deposit(
        engine, payment_id=new_id_text(), user_id=user_id, currency="USD", amount=Decimal(50)
    )
    for payment in (arrived, direct):
        with pytest.raises(StateError) as caught, engine.transaction():
            payments.request_refund(
                engine, refund_order("0.5"), payment_id=payment.id, officer_id=officer_id
            )
        assert caught.value.code == ErrorCode.PAYMENT_REFUND_REFUSED
    assert wallet(engine, user_id, "BTC") == (Decimal("1.5"), 0)
    assert wallet(engine, user_id) == (50, 0)


class UnwillingCards(CardSimulator):
    """Cards that will never make the refunds in `refused`, and cannot be asked of `unreachable`."""

    def __init__(self, queue: WebhookSender) -> None:
        super().__init__(queue)
        self.refused: set[str] = set()
        self.unreachable: set[str] = set()

    def submit(self, payment: payments.Payment) -> None:
        """Answer nothing for what is in `unreachable`."""
        if payment.id in self.unreachable:
            raise StateError(ErrorCode.INTERNAL_DEFECT, "no answer", why="-", hint="Wait.")
        super().submit(payment)

    def refund(self, claim: payments.Claim, reference: str) -> None:
        """Refuse for good what is in `refused`."""
        if claim.id in self.refused:
            raise StateError(ErrorCode.PAYMENT_REFUND_REFUSED, "never", why="-", hint="Withdraw.")
        super().refund(claim, reference)


def test_what_cannot_be_handed_over_keeps_nothing_behind_it(engine: Session, address: str) -> None:
    queue = sender(address, "cards")
    cards = UnwillingCards(queue)
    user_id, officer_id = settled_user(engine), open_user(engine, role="payments_officer")
    payment = start(engine, user_id)
    submit_due(engine, cards)
    queue.deliver()
    orders = [refund_order("10"), refund_order("20")]
    with engine.transaction():
        for order in orders:
            payments.request_refund(engine, order, payment_id=payment.id, officer_id=officer_id)
    stuck, free = start(engine, user_id), start(engine, user_id)
    cards.refused.add(orders[0].claim_id)
    cards.unreachable.add(stuck.id)
    with pytest.raises(StateError) as caught:
        submit_due(engine, cards)
    assert caught.value.code == ErrorCode.INTERNAL_DEFECT
    queue.deliver()
    ends = [payments.find_claim(engine, order.claim_id).status for order in orders]
    assert ends == [ClaimStatus.FAILED, ClaimStatus.SUCCEEDED]
    assert [status(engine, each) for each in (stuck, free)] == ["pending", "succeeded"]
    assert wallet(engine, user_id) == (180, 0)
    cards.unreachable.clear()
    assert (submit_due(engine, cards), submit_due(engine, cards)) == (1, 0)


class OwingCards(CardSimulator):
    """Cards of whose users one comes to owe while another's payout is on its way."""

    def __init__(self, queue: WebhookSender, session: Session, disputed: payments.Payment) -> None:
        super().__init__(queue)
        self._session, self._disputed = session, disputed
        self.paid: list[str] = []

    def submit(self, payment: payments.Payment) -> None:
        """Take the order, and then the news of the dispute."""
        self.paid.append(payment.id)
        super().submit(payment)
        tell(self._session, news(self._disputed, "dispute.opened"), event_id="evt_dispute")


def test_nothing_is_paid_to_who_comes_to_owe_while_others_are_paid(
    engine: Session, address: str
) -> None:
    """Case 41, at the last moment."""
    user_id, other_id = settled_user(engine, "500"), settled_user(engine, "500")
    first = start(engine, other_id, "50", kind=PaymentKind.WITHDRAWAL)
    second = start(engine, user_id, "400", kind=PaymentKind.WITHDRAWAL)
    disputed = deposited(engine, user_id)
    assert {first.status, second.status} == {PaymentStatus.PROCESSING}
    ledger.debit(engine, user_id, "USD", Decimal(150), transaction_id=new_id_text())
    cards = OwingCards(sender(address, "cards"), engine, disputed)
    assert submit_due(engine, cards) == 1
    assert cards.paid == [first.id]
    assert payments.read_debts(engine, user_id) == {"USD": 50}
    deposited(engine, user_id, "50")
    assert submit_due(engine, cards) == 1
    assert cards.paid == [first.id, second.id]


def test_nothing_is_paid_to_who_is_suspended_after_asking_until_reinstated(
    engine: Session, address: str
) -> None:
    user_id, cards = settled_user(engine, "500"), CardSimulator(sender(address, "cards"))
    payment = start(engine, user_id, "50", kind=PaymentKind.WITHDRAWAL)
    assert payment.status is PaymentStatus.PROCESSING
    engine.execute("UPDATE users SET status = 'suspended' WHERE id = %s", (user_id,))
    assert submit_due(engine, cards) == 0
    engine.execute("UPDATE users SET status = 'active' WHERE id = %s", (user_id,))
    assert submit_due(engine, cards) == 1


def test_however_many_cannot_be_handed_over_those_behind_them_are(
    engine: Session, address: str
) -> None:
    cards = UnwillingCards(sender(address, "cards"))
    user_id = settled_user(engine)
    cards.unreachable.update(start(engine, user_id, "1").id for _ in range(3))
    engine.execute(
        "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, provider)"
        " SELECT uuidv7(), %s, 'deposit', 'USD', 1, 'cards' FROM generate_series(1, 120)",
        (user_id,),
    )
    many = engine.execute("SELECT id::text FROM payment_transactions").fetchall()
    cards.unreachable.update(row[0] for row in many)
    behind = start(engine, user_id, "1")
    with pytest.raises(StateError):
        submit_due(engine, cards)
    asked = "SELECT id::text FROM payment_transactions WHERE submitted_at IS NOT NULL"
    assert engine.execute(asked).fetchall() == [(behind.id,)]


def test_a_secret_that_is_none_is_told_before_a_message_comes(open_session: OpenSession) -> None:
    """While a secret is changed, a slip in the new one would refuse what the old one signs."""
    secrets = {Provider.CARDS: (OLD, "whsec_slip")}
    with (
        pytest.raises(TradewrightError) as caught,
        webhook_server(same_connection(open_session()), secrets),
    ):
        pass
    assert caught.value.code == ErrorCode.WEBHOOK_KEY_MALFORMED


def test_a_receiver_without_any_secret_does_not_begin(open_session: OpenSession) -> None:
    source = same_connection(open_session())
    with (
        pytest.raises(TradewrightError) as caught,
        webhook_server(source, {Provider.CARDS: (), Provider.CHAIN: ()}),
    ):
        pass
    assert caught.value.code == ErrorCode.WEBHOOK_KEY_MISSING
    assert "--cards-secret" in caught.value.hint


def test_nothing_that_is_not_signed_leaves_a_trace(engine: Session, address: str) -> None:
    """Case 39, over HTTP: refused, and nothing of it is kept."""
    payment = start(engine, settled_user(engine))
    body, now = news(payment, "charge.succeeded"), datetime.now(UTC)
    good = sign("evt_1", now, body, [NEW])
    before = value(engine, "SELECT count(*) FROM audit_log")
    answers = [
        send(address, body, sign("evt_1", now, body, [new_secret()])),
        send(address, body, sign("evt_1", now - timedelta(seconds=302), body, [NEW])),
        send(address, body.replace(b"100", b"900"), good),
        send(address, body, good | {"webhook-id": "evt_2"}),
        send(address, body, {}),
        send(address, body, good, "chain"),
        send(address, body, good, "banks"),
        send(address, b"", good | {"content-length": str(BODY_BYTES_MAX + 1)}),
        send(address, b"{", sign("evt_1", now, b"{", [NEW])),
    ]
    assert answers == [401, 401, 401, 401, 400, 400, 404, 413, 400]
    assert value(engine, "SELECT count(*) FROM webhook_events") == 0
    assert value(engine, "SELECT count(*) FROM audit_log") == before
    assert send(address, body, sign("evt_1", now, body, [OLD])) == 200
    assert send(address, body, good) == 200
    assert status(engine, payment) is PaymentStatus.SUCCEEDED


def test_odd_letters_and_numbers_are_answered_and_keep_no_news_out(
    engine: Session, address: str
) -> None:
    payment, now = start(engine, settled_user(engine)), datetime.now(UTC)
    for place, reason in enumerate(("cut \ud83d", "a\0b")):
        body = news(payment, "charge.failed", reason=reason)
        assert send(address, body, sign(f"evt_{place}", now, body, [NEW])) == 200
    failed = payments.find_payment(engine, payment.id)
    assert failed.failure_reason == "provider: cut \ufffd"
    for changes in ({"payment": "\udfff"}, {"amount": "1_00"}):
        body = news(payment, "charge.succeeded", **changes)
        assert send(address, body, sign("evt_3", now, body, [NEW])) == 400
    assert send(address, b"", {"content-length": "9" * 5000}) == 413
    assert status(engine, payment) is PaymentStatus.FAILED


def test_who_told_stands_in_the_audit_trail(engine: Session, address: str) -> None:
    payment = start(engine, settled_user(engine))
    assert post(
        Endpoint(f"{address}/v1/webhooks/cards", [OLD, NEW]),
        "evt",
        news(payment, "charge.succeeded"),
    ).is_taken
    trail = audit.read_trail(engine, payment.id)
    assert trail[-1].actor == "provider:cards"


def test_more_messages_than_are_taken_at_once_are_asked_to_come_again(
    engine: Session, open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "IN_HAND_MAX", 1)
    payment, holder, inbox = start(engine, settled_user(engine)), open_session(), open_session()
    served = webhook_server(same_connection(inbox), {Provider.CARDS: [NEW]})
    with served as base, ThreadPoolExecutor(1) as pool:
        endpoint = Endpoint(f"{base}/v1/webhooks/cards", [NEW])
        with holder.transaction():
            holder.execute("SELECT FROM user_balances FOR UPDATE")
            first = pool.submit(post, endpoint, "evt_1", news(payment, "charge.processing"))
            while value(engine, "SELECT count(*) FROM pg_locks WHERE NOT granted") == 0:
                pause(0.01)
            assert post(endpoint, "evt_2", news(payment, "charge.succeeded")).status == 503
        assert first.result().is_taken
    assert status(engine, payment) is PaymentStatus.PROCESSING


def test_coins_without_an_address_have_no_way_to_go(engine: Session) -> None:
    user_id = settled_user(engine)
    for kind in PaymentKind:
        with pytest.raises(TradewrightError) as caught:
            start(engine, user_id, kind=kind, provider=Provider.CHAIN, destination=None)
        assert caught.value.code == ErrorCode.PAYMENT_ROUTE_MISSING


def test_money_that_is_no_coin_goes_over_no_chain(engine: Session) -> None:
    user_id = settled_user(engine, "500")
    with pytest.raises(TradewrightError) as caught:
        start(engine, user_id, "5", kind=PaymentKind.WITHDRAWAL, provider=Provider.CHAIN)
    assert caught.value.code == ErrorCode.PAYMENT_ROUTE_MISSING
    assert wallet(engine, user_id) == (500, 0)


def test_a_chain_tells_what_it_cannot_carry_as_any_provider_does(
    engine: Session, address: str
) -> None:
    """Anything else would end the run before those behind it are handed over."""
    chain = ChainSimulator(sender(address, "chain"))
    payment = start(engine, settled_user(engine, "500"), "5", kind=PaymentKind.WITHDRAWAL)
    with pytest.raises(StateError) as caught:
        chain.submit(payment)
    assert caught.value.code == ErrorCode.PAYMENT_ROUTE_MISSING


def test_an_endpoint_that_is_down_is_an_answer_and_no_failure() -> None:
    answer = post(Endpoint("http://127.0.0.1:9/", [NEW]), "evt", b"{}")
    assert answer == Answer(None, answer.text)
    assert "refused" in answer.text
