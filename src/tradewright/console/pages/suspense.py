"""Money that came for refused deposits: what is in suspense, and its sending back."""

from tradewright import audit
from tradewright.access import Action
from tradewright.console.fields import reason_of
from tradewright.console.model import Done, Method, Page, Shown, Visit
from tradewright.core.ids import new_id_text, require_ids
from tradewright.payments.send_backs import SendBack, send_back
from tradewright.payments.suspense import list_suspense

_ITEMS_MAX = 200


def show(visit: Visit) -> Shown:
    """Show what is in suspense, the oldest first, and then what has gone."""
    found = list_suspense(visit.session, count_max=_ITEMS_MAX)
    return Shown("suspense.html", {"items": [(each, new_id_text()) for each in found]})


def send(visit: Visit) -> Done:
    """Send money in suspense back; a form that is sent twice sends it once."""
    return_id, reason = visit.said("return_id"), reason_of(visit)
    require_ids(return_id)
    order = SendBack(
        return_id=return_id,
        item_id=str(visit.path["item_id"]),
        officer_id=visit.caller.user_id,
        reason=reason,
        destination=visit.said("destination") or None,
    )
    with visit.session.transaction():
        audit.acting_as(visit.session, visit.caller.actor, reason=reason)
        send_back(visit.session, order)
    return Done("/payments/suspense", "sent_back")


PAGES = (
    Page(Action.READ_PAYMENTS, "/payments/suspense", show),
    Page(Action.DECIDE_PAYMENTS, "/payments/suspense/{item_id:uuid}/send-back", send, Method.SEND),
)
