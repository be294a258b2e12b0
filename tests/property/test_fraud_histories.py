"""What fraud checks count over random histories, beside a computation of its own in Python."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.news import settled_user
from tradewright import audit, payments
from tradewright.core.clock import utc_now
from tradewright.core.ids import new_id_text
from tradewright.payments import Origin, PaymentKind, PaymentRequest, Provider
from tradewright.postgres.connect import Session, connect
from tradewright.postgres.embedded import EmbeddedServer

SECOND = timedelta(seconds=20)
AGES = st.sampled_from(
    [edge + off for edge in (timedelta(hours=1), timedelta(days=1)) for off in (-SECOND, SECOND)]
    + [timedelta(minutes=1), timedelta(hours=5), timedelta(days=40)]
)
COUNT_STEPS = {
    "payments_in_last_hour": ((10, 60), (5, 35), (3, 15)),
    "failures_in_last_day": ((5, 40), (3, 20)),
    "ip_address_in_last_hour": ((20, 60), (5, 30)),
    "ip_address_shared": ((10, 45), (5, 20)),
    "device_shared": ((5, 60), (3, 40), (2, 15)),
}
"""From docs/reference/payments.md: how many, and the points from there on."""


@dataclass(frozen=True)
class Past:
    """What one of six users asked for: how long ago, from where, and what became of it."""

    user: int
    age: timedelta
    ip_address: int
    device: int
    became: str

    @property
    def is_payment(self) -> bool:
        """Tell whether it began."""
        return self.became != "refused"


PASTS = st.builds(
    Past,
    user=st.sampled_from([0, 0, 0, 1, 2, 3, 4, 5]),
    age=AGES,
    ip_address=st.sampled_from([0, 0, 1]),
    device=st.sampled_from([0, 1]),
    became=st.sampled_from(["pending", "failed", "refused", "canceled"]),
)


@pytest.fixture(scope="module")
def session(server: EmbeddedServer, engine_template: str) -> Iterator[Session]:
    """Give one session on a database of this module's own; the laws are held at the end."""
    server.create_database("fraud_histories", template=engine_template)
    with connect(server.conninfo("fraud_histories"), autocommit=True) as opened:
        yield opened
        audit.require_laws(audit.check_laws(opened))


@dataclass(frozen=True)
class World:
    """The users, addresses and devices of one example, as the database knows them."""

    session: Session
    users: list[str]
    mark: str
    now: datetime

    def see(self, table: str, column: str, past: Past, name: str) -> str:
        """Note where a user was seen; return the row."""
        rows = self.session.execute(
            f"INSERT INTO {table} (user_id, {column}) VALUES (%s, %s)"
            f" ON CONFLICT (user_id, {column}) DO UPDATE SET last_seen_at = clock_timestamp()"
            " RETURNING id::text".encode(),
            (self.users[past.user], name),
        )
        return str(rows.fetchall()[0][0])

    def write(self, past: Past) -> None:
        """Write what was asked for."""
        at, user_id = self.now - past.age, self.users[past.user]
        ip = self.see("user_ip_addresses", "address", past, self.ip(past.ip_address))
        device = self.see("user_devices", "fingerprint", past, self.device(past.device))
        if not past.is_payment:
            self.session.execute(
                "INSERT INTO payment_refusals (user_id, kind, code, ip_address_id, refused_at)"
                " VALUES (%s, 'deposit', 'PAYMENT_LIMIT_EXCEEDED', %s, %s)",
                (user_id, ip, at),
            )
            return
        payment_id = new_id_text()
        self.session.execute(
            "INSERT INTO payment_transactions (id, user_id, kind, currency, amount, counted_rate,"
            " counted_amount, provider, ip_address_id, device_id, created_at)"
            " VALUES (%s, %s, 'deposit', 'USD', 1, 1, 1, 'cards', %s, %s, %s)",
            (payment_id, user_id, ip, device, at),
        )
        if past.became != "pending":
            self.session.execute(
                "UPDATE payment_transactions SET status = %s, completed_at = %s WHERE id = %s",
                (past.became, at, payment_id),
            )

    def ip(self, number: int) -> str:
        """Return an address of this example."""
        return f"2001:db8:{self.mark[-12:-8]}:{self.mark[-8:-4]}:{self.mark[-4:]}::{number}"

    def device(self, number: int) -> str:
        """Return a device of this example."""
        return f"{self.mark} {number}"


def points(name: str, count: int) -> int:
    """Return what a count gives."""
    return next((given for least, given in COUNT_STEPS[name] if count >= least), 0)


@settings(max_examples=25, deadline=None)
@given(st.lists(PASTS, max_size=30))
def test_velocity_is_what_a_count_in_python_says(session: Session, pasts: list[Past]) -> None:
    world = World(session, [settled_user(session) for _ in range(6)], new_id_text(), utc_now())
    for past in pasts:
        world.write(past)
    request = PaymentRequest(
        payment_id=new_id_text(),
        user_id=world.users[0],
        kind=PaymentKind.DEPOSIT,
        currency="USD",
        amount=Decimal(1),
        provider=Provider.CARDS,
        origin=Origin(device=world.device(0), ip_address=world.ip(0)),
    )
    with session.transaction():
        payments.start_payment(session, request)
    hour, day = timedelta(hours=1), timedelta(days=1)
    mine = [past for past in pasts if past.user == 0]
    counts = {
        "payments_in_last_hour": sum(past.age < hour for past in mine),
        "failures_in_last_day": sum(
            past.age < day and past.became in ("failed", "refused") for past in mine
        ),
        "ip_address_in_last_hour": sum(past.age < hour and past.ip_address == 0 for past in pasts),
        "ip_address_shared": len({past.user for past in pasts if past.ip_address == 0} | {0}),
        "device_shared": len({past.user for past in pasts if past.device == 0} | {0}),
    }
    [check] = payments.read_fraud_checks(session, request.payment_id)
    told = {name: found["points"] for name, found in check["findings"].items()}
    expected = {name: points(name, count) for name, count in counts.items()}
    assert told == {name: given for name, given in expected.items() if given}
    assert check["score"] == min(100, sum(expected.values()))
