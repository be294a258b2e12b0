"""Risk, for staff: what is halted, stopped and resumed; what limits have denied; alerts."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import Field

from tradewright.access import Action, Caller, may, require
from tradewright.risk import store
from tradewright.risk.alerts import acknowledge, read_alerts
from tradewright.risk.halts import HaltMode
from tradewright.risk.limits import Scope, Target
from tradewright.server.http.callers import Calling, Database, allowed
from tradewright.server.http.values import Amount, Answer, Body, Instant, Limit, Words
from tradewright.trading.kill_switch import halt
from tradewright.trading.targets import require_target

router = APIRouter(prefix="/v1", tags=["risk"])

Reader = Annotated[Caller, Depends(allowed(Action.READ_RISK))]
Stopper = Annotated[Caller, Depends(allowed(Action.STOP_TRADING))]
Resumer = Annotated[Caller, Depends(allowed(Action.RESUME_TRADING))]
Watcher = Annotated[Caller, Depends(allowed(Action.ACKNOWLEDGE_ALERTS))]


class Halt(Answer):
    """What is halted, by whom and why."""

    mode: str
    scope: str
    target: str | None
    set_by: str
    reason: str
    set_at: Instant


class Halts(Answer):
    """Halts in force, the oldest first."""

    halts: list[Halt]


class Stopped(Answer):
    """How many orders of how many accounts were canceled with a kill."""

    accounts: int
    orders: int


class Aim(Body):
    """For whom: without a target for everything."""

    scope: Scope = Scope.ALL
    target: Annotated[str, Field(pattern=r"^[!-~]{1,64}$")] | None = None
    reason: Words


class Stop(Aim):
    """How far trading is stopped: `halted` also cancels what rests."""

    mode: Literal["halted", "reduce_only"] = "halted"


class Breach(Answer):
    """An order that a limit has denied."""

    occurred_at: Instant
    kind: str
    scope: str
    target: str | None
    account_id: str
    symbol: str
    client_order_id: str
    limit_value: Amount
    measured: Amount


class Breaches(Answer):
    """Breaches, the newest first."""

    breaches: list[Breach]


class Alert(Answer):
    """What people must know."""

    id: str
    severity: str
    kind: str
    what: str
    raised_at: Instant
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    resolved_at: Instant | None


class Alerts(Answer):
    """Alerts, the newest first."""

    alerts: list[Alert]


class Acknowledged(Answer):
    """How many of the alerts had waited for somebody."""

    count: int


@router.get("/halts", summary="What is halted or reduce-only")
def halts(_: Reader, session: Database) -> Halts:
    """List the halts in force."""
    return _halts(session)


@router.post("/halts/stop", summary="Stop trading")
def stop(calling: Stopper, session: Database, body: Stop) -> Stopped:
    """Stop what opens; positions may still be reduced. A kill again cancels what was left."""
    target = _target(body)
    mode = HaltMode(body.mode)
    if mode is HaltMode.HALTED:
        killed = halt(session, target, actor=calling.actor, reason=body.reason)
        return Stopped(accounts=killed.accounts, orders=killed.orders)
    store.set_halt(session, mode, target, actor=calling.actor, reason=body.reason)
    return Stopped(accounts=0, orders=0)


@router.post("/halts/resume", summary="Resume trading")
def resume(calling: Resumer, session: Database, body: Aim) -> Halts:
    """Lift a halt or a reduce-only."""
    target = _target(body)
    require_target(session, target)
    store.lift_halt(session, target, actor=calling.actor, reason=body.reason)
    return _halts(session)


@router.get("/breaches", summary="Orders that a limit has denied")
def breaches(_: Reader, session: Database, limit: Limit = 50) -> Breaches:
    """List the newest breaches."""
    found = store.read_breaches(session, count_max=limit)
    return Breaches(breaches=[Breach.model_validate(each) for each in found])


@router.get("/alerts", summary="What people must know")
def alerts(
    calling: Calling, session: Database, limit: Limit = 50, *, with_acknowledged: bool = False
) -> Alerts:
    """List alerts that wait for somebody, or all."""
    if not may(calling, Action.READ_RISK):
        require(calling, Action.ACKNOWLEDGE_ALERTS)
    found = read_alerts(session, count_max=limit, with_acknowledged=with_acknowledged)
    return Alerts(alerts=[Alert.model_validate(each) for each in found])


@router.post("/alerts/{alert_id}/acknowledge", summary="Say that an alert was seen")
def acknowledge_alert(calling: Watcher, session: Database, alert_id: UUID) -> Acknowledged:
    """Note who has seen an alert; again is harmless."""
    with session.transaction():
        return Acknowledged(count=acknowledge(session, [str(alert_id)], actor=calling.actor))


def _halts(session: Database) -> Halts:
    rows = [
        Halt(
            mode=one.mode,
            scope=one.target.scope,
            target=one.target.name,
            set_by=one.set_by,
            reason=one.reason,
            set_at=one.set_at,
        )
        for one in store.read_halts(session)
    ]
    return Halts(halts=rows)


def _target(body: Aim) -> Target:
    return Target(body.scope, body.target)
