"""The whole way: HTTP, an engine run by its command, and a provider that it reaches over FIX."""

from pathlib import Path

from tests.e2e.test_engine_command import opened
from tests.fix_floor import theirs, until
from tests.web import Web, key_of, served
from tradewright.postgres.connect import Session
from tradewright.trading.inquiry import find_account


def status_of(web: Web, order_id: str) -> str:
    found: str = web.get(f"/v1/orders/{order_id}").json["order"]["status"]
    return found


def test_an_order_for_a_provider_is_awaited_and_then_filled(
    engine_database: str, engine: Session, tmp_path: Path
) -> None:
    with (
        opened(engine_database, engine, tmp_path) as (house, acceptor),
        served(engine_database, socket=house.place) as web,
    ):
        account = house.stage.account
        kim = web.with_key(key_of(engine, find_account(engine, account).user_id))
        path = f"/v1/accounts/{account}/orders"
        body = {"client_order_id": "a", "symbol": "EURUSD", "side": "buy", "quantity": "10000"}
        assert web.get("/readyz").json["checks"]["engine"] == "no engine takes commands"
        assert kim.post(path, body).problem == (503, "ENGINE_UNREACHABLE")
        with house.engine() as running:
            house.priced()
            report = kim.post(path, body).json
            assert report["is_awaited"] is True
            until(lambda: status_of(kim, report["order_id"]) == "filled")
            again = kim.post(path, body)
            assert (again.status, again.json["status"]) == (200, "filled")
            assert again.json["is_awaited"] is False
            until(lambda: not house.stage.floor.rows("SELECT FROM orders WHERE is_routed"))
            assert running.stop() == 0
        late = {**body, "client_order_id": "b"}
        assert kim.post(path, late).problem == (503, "ENGINE_UNREACHABLE")
        assert theirs(acceptor) == house.stage.ours()
    assert house.stage.floor.broken_laws() == {}
