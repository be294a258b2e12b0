"""Payments: what waits for an officer, one with all that it did, breaks, and what is owed to us."""

from tradewright import audit, payments
from tradewright.access import Action
from tradewright.console.fields import choice_of, reason_of
from tradewright.console.model import Done, Method, Page, Shown, Visit
from tradewright.console.paging import Paged, paged
from tradewright.console.request import malformed
from tradewright.console.store import read
from tradewright.payments import PaymentKind, PaymentStatus, decisions
from tradewright.payments.reconciliation.service import read_breaks
from tradewright.payments.reconciliation.taken import list_statements
from tradewright.trading.inquiry import find_user

_STATEMENTS_MAX = 20
_TRAIL_MAX = 500
WAITING = (PaymentStatus.REQUIRES_APPROVAL, PaymentStatus.CONFLICTED)
"""States in which a payment waits for a person."""


def show(visit: Visit) -> Shown:
    """Show the payments that wait for an officer, the oldest first."""
    return Shown("payments.html", {"payments": _read(visit, "payments_waiting")})


def show_all(visit: Visit) -> Shown:
    """Show all payments, the newest first, by state, kind and user."""
    user = visit.word("user")
    asked = {
        "status": choice_of(visit, "status", PaymentStatus),
        "kind": choice_of(visit, "kind", PaymentKind),
        "user_id": None if user is None else find_user(visit.session, user).id,
    }
    facts = {
        "payments": _read(visit, "payments", **asked),
        "statuses": list(PaymentStatus),
        "kinds": list(PaymentKind),
    }
    return Shown("all_payments.html", facts)


def _read(visit: Visit, query: str, **asked: object) -> Paged:
    return paged(
        visit,
        "page",
        lambda count, passed: read(visit.session, query, **asked, count_max=count, passed=passed),
    )


def show_one(visit: Visit) -> Shown:
    """Show a payment with its checks, its steps, its money, and what may be decided about it."""
    session, payment_id = visit.session, str(visit.path["payment_id"])
    payment = payments.find_payment(session, payment_id)
    facts = {
        "payment": payment,
        "user": find_user(session, payment.user_id),
        "checks": payments.read_fraud_checks(session, payment.id),
        "claims": payments.read_claims(session, payment.id),
        "debts": payments.read_debts(session, payment.user_id),
        "trail": audit.read_trail(session, payment.id, entries_max=_TRAIL_MAX),
        "is_waiting": payment.status in WAITING,
    }
    return Shown("payment.html", facts)


def approve(visit: Visit) -> Done:
    """Let a payment go on, and take the news of its provider that waited for it."""
    payment_id = str(visit.path["payment_id"])
    reason, seen = reason_of(visit), _seen(visit)
    decisions.approve(visit.session, payment_id, visit.caller.user_id, reason=reason, seen=seen)
    return Done(f"/payments/{payment_id}", "approved")


def refuse(visit: Visit) -> Done:
    """End a payment that waits, without success."""
    payment_id = str(visit.path["payment_id"])
    reason, seen = reason_of(visit), _seen(visit)
    decisions.refuse(visit.session, payment_id, visit.caller.user_id, reason=reason, seen=seen)
    return Done(f"/payments/{payment_id}", "refused")


def _seen(visit: Visit) -> PaymentStatus:
    """Return the state in which the page has shown the payment."""
    word = visit.said("seen")
    if word not in set(WAITING):
        raise malformed(f'the state "{word}"', f"It is one of {', '.join(WAITING)}.")
    return PaymentStatus(word)


def show_breaks(visit: Visit) -> Shown:
    """Show the open differences of reconciliation, the oldest first, and what was compared."""
    found = read_breaks(visit.session)
    facts = {
        "breaks": paged(visit, "page", lambda count, passed: found[passed : passed + count]),
        "statements": list_statements(visit.session, count_max=_STATEMENTS_MAX),
    }
    return Shown("breaks.html", facts)


def show_receivables(visit: Visit) -> Shown:
    """Show what clients owe, the oldest first."""
    found = paged(
        visit,
        "page",
        lambda count, passed: read(visit.session, "receivables", count_max=count, passed=passed),
    )
    return Shown("receivables.html", {"receivables": found})


PAGES = (
    Page(Action.READ_PAYMENTS, "/payments", show),
    Page(Action.READ_PAYMENTS, "/payments/all", show_all),
    Page(Action.READ_PAYMENTS, "/payments/breaks", show_breaks),
    Page(Action.READ_PAYMENTS, "/payments/receivables", show_receivables),
    Page(Action.READ_PAYMENTS, "/payments/{payment_id:uuid}", show_one),
    Page(Action.DECIDE_PAYMENTS, "/payments/{payment_id:uuid}/approve", approve, Method.SEND),
    Page(Action.DECIDE_PAYMENTS, "/payments/{payment_id:uuid}/refuse", refuse, Method.SEND),
)
