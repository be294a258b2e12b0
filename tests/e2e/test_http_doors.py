"""What stands in front of every route over HTTP: keys, sessions, bounds, headers, and health."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web import Web, key_of, new_user, served
from tradewright import migrate
from tradewright.access import SESSION_COOKIE, Scope, start_session
from tradewright.core.ids import new_id_text
from tradewright.postgres.connect import Session
from tradewright.server.http.guards import HEADERS
from tradewright.server.http.house import HttpSettings
from tradewright.trading.standing import suspend_user


@pytest.fixture
def web(engine_database: str) -> Iterator[Web]:
    with served(engine_database, settings=HttpSettings(body_bytes_max=2_000)) as address:
        yield address


@pytest.fixture
def kim(engine: Session) -> str:
    return new_user(engine, "trader")


def test_a_key_says_who_calls_and_what_it_allows(web: Web, engine: Session, kim: str) -> None:
    answer = web.with_key(key_of(engine, kim, [Scope.READ, Scope.PAY])).get("/v1/me")
    assert answer.status == 200
    assert answer.json["user_id"] == kim
    assert answer.json["actions"] == ["read_own", "pay_own"]


def test_without_a_good_key_nothing_is_answered(web: Web) -> None:
    keys = (None, "", "twk_", "twk_" + "0" * 96, "tws_" + "0" * 96)
    for key in keys:
        answer = web.with_key(key).get("/v1/me")
        code = "ACCESS_REQUIRED" if key is None else "ACCESS_KEY_REFUSED"
        assert answer.problem == (401, code)
        assert answer.headers["www-authenticate"] == 'Bearer realm="tradewright"'


def test_every_wrong_key_is_refused_in_the_same_words(web: Web, engine: Session, kim: str) -> None:
    key, ended, lost = key_of(engine, kim), key_of(engine, kim), key_of(engine, new_user(engine))
    key_id = web.with_key(ended).get("/v1/me").json["key_id"]
    caller = web.with_key(key)
    assert caller.post(f"/v1/keys/{key_id}/revoke", {"reason": "lost"}).status == 200
    suspend_user(engine, web.with_key(lost).get("/v1/me").json["user_id"])
    forged = key[:-4] + "0000"
    told = [web.with_key(each).get("/v1/me").json for each in (ended, lost, forged)]
    assert {each.pop("instance")[:9] for each in told} == {"urn:uuid:"}
    assert told[0] == told[1] == told[2]


def test_a_session_opens_what_its_key_does(web: Web, engine: Session, kim: str) -> None:
    token = start_session(engine, key_of(engine, kim)).token
    browser = web.with_headers(Cookie=f"{SESSION_COOKIE}={token}")
    assert browser.get("/v1/me").json["user_id"] == kim
    other = web.with_headers(Cookie=f"{SESSION_COOKIE}={token[:-4]}0000")
    assert other.get("/v1/me").problem == (401, "ACCESS_SESSION_REFUSED")


def test_a_page_of_another_site_changes_nothing(web: Web, engine: Session, kim: str) -> None:
    key = key_of(engine, kim)
    token = start_session(engine, key).token
    key_id = web.with_key(key).get("/v1/me").json["key_id"]
    browser = web.with_headers(Cookie=f"{SESSION_COOKIE}={token}")
    own = f"http://{web.host}:{web.port}"
    foreign = [
        {},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "cross-site", "Origin": own},
        {"Origin": "http://example.org"},
        {"Origin": "null"},
    ]
    for headers in foreign:
        asked = browser.with_headers(**headers).post(f"/v1/keys/{key_id}/revoke", {"reason": "x"})
        assert asked.problem == (403, "HTTP_ORIGIN_REFUSED"), headers
    for headers in ({"Sec_Fetch_Site": "same-origin"}, {"Origin": own}):
        asked = browser.with_headers(**headers).post(
            f"/v1/keys/{new_id_text()}/revoke", {"reason": "x"}
        )
        assert asked.problem == (404, "ACCESS_KEY_UNKNOWN"), headers


def test_a_user_sees_and_ends_only_their_own_keys(web: Web, engine: Session, kim: str) -> None:
    mine, theirs = web.with_key(key_of(engine, kim)), key_of(engine, new_user(engine))
    listed = mine.get("/v1/keys").json["keys"]
    assert [each["id"] for each in listed] == [mine.get("/v1/me").json["key_id"]]
    other = web.with_key(theirs).get("/v1/me").json
    assert mine.get(f"/v1/keys?user_id={other['user_id']}").problem == (403, "ACCESS_DENIED")
    ended = mine.post(f"/v1/keys/{other['key_id']}/revoke", {"reason": "spite"})
    assert ended.problem == (404, "ACCESS_KEY_UNKNOWN")
    assert web.with_key(theirs).get("/v1/me").status == 200


def test_a_key_ends_itself_and_no_key_that_can_do_more(web: Web, engine: Session, kim: str) -> None:
    reads, trades, whole = (
        web.with_key(key_of(engine, kim, scopes))
        for scopes in ([Scope.READ], [Scope.READ, Scope.TRADE], list(Scope))
    )

    def ended(by: Web, which: Web) -> int:
        key_id = which.get("/v1/me").json["key_id"]
        return by.post(f"/v1/keys/{key_id}/revoke", {"reason": "found"}).status

    assert [ended(reads, trades), ended(trades, whole)] == [403, 403]
    assert trades.get("/v1/me").status == 200
    assert [ended(whole, trades), ended(reads, reads)] == [200, 200]
    assert [each.get("/v1/me").status for each in (reads, trades, whole)] == [401, 401, 200]


def test_an_administrator_ends_anybodys_key_and_that_is_kept(
    web: Web, engine: Session, kim: str
) -> None:
    ann = new_user(engine, "administrator")
    admin, theirs = web.with_key(key_of(engine, ann)), web.with_key(key_of(engine, kim))
    key_id = theirs.get("/v1/me").json["key_id"]
    ended = admin.post(f"/v1/keys/{key_id}/revoke", {"reason": "found in a log"})
    assert (ended.status, ended.json["revoked_by"]) == (200, f"user:{ann}")
    assert theirs.get("/v1/me").problem == (401, "ACCESS_KEY_REFUSED")
    again = admin.post(f"/v1/keys/{key_id}/revoke", {"reason": "found in a log"})
    assert again.problem == (409, "ACCESS_KEY_REVOKED")


def test_every_answer_has_its_id_and_the_headers_of_the_house(web: Web) -> None:
    ids = set()
    for path in ("/healthz", "/v1/me", "/nowhere"):
        answer = web.get(path)
        ids.add(answer.headers["x-request-id"])
        assert {name: answer.headers[name.lower()] for name in HEADERS} == HEADERS
        assert "server" not in answer.headers
    assert len(ids) == 3


def test_a_body_that_is_too_large_is_not_read(web: Web, engine: Session, kim: str) -> None:
    caller = web.with_key(key_of(engine, kim))
    path = f"/v1/keys/{new_id_text()}/revoke"
    assert caller.post(path, {"reason": "x" * 3_000}).problem == (413, "HTTP_BODY_TOO_LARGE")
    lying = caller.with_headers(Transfer_Encoding="chunked")
    chunk = json.dumps({"reason": "x" * 3_000}).encode()
    sent = lying.ask("POST", path, b"%x\r\n%s\r\n0\r\n\r\n" % (len(chunk), chunk))
    assert sent.problem == (413, "HTTP_BODY_TOO_LARGE")
    assert caller.post(path, {"reason": "x" * 500}).problem == (404, "ACCESS_KEY_UNKNOWN")


def test_a_malformed_body_is_told_with_each_fault(web: Web, engine: Session, kim: str) -> None:
    caller = web.with_key(key_of(engine, kim))
    for body, fault in (
        (b"{", "body.1"),
        (b"[]", "body"),
        (b'{"reason": 1}', "body.reason"),
        (b'{"reason": "x", "key": "y"}', "body.key"),
        (b"{}", "body.reason"),
    ):
        answer = caller.ask("POST", f"/v1/keys/{new_id_text()}/revoke", body)
        assert answer.problem == (422, "HTTP_REQUEST_MALFORMED"), body
        assert list(answer.json["facts"]) == [fault]


def test_what_is_not_there_is_told_as_a_problem_too(web: Web) -> None:
    assert web.get("/v1/nothing").problem == (404, "HTTP_ROUTE_UNKNOWN")
    answer = web.post("/healthz", {})
    assert answer.problem == (405, "HTTP_METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET"


def test_it_is_ready_while_database_schema_and_engine_are_there(
    engine_database: str, tmp_path: Path
) -> None:
    with served(engine_database, tmp_path / "orders.sock") as web:
        assert web.get("/healthz").json == {"status": "ok"}
        answer = web.get("/readyz")
        assert answer.status == 503
        assert answer.json["checks"] == {
            "database": "ok",
            "schema": "ok",
            "engine": "no engine takes commands",
        }
    with served(engine_database) as web:
        assert web.get("/readyz").status == 200


def test_it_is_not_ready_on_a_schema_of_another_release(engine_database: str) -> None:
    migrations = migrate.find_migrations(migrate.our_migrations())
    migrate.down(migrate.Target(conninfo=engine_database), migrations)
    with served(engine_database) as web:
        answer = web.get("/readyz")
        assert answer.status == 503
        assert answer.json["checks"]["schema"] == f"{migrations[-1].version} is pending"


def answers(figures: str) -> dict[tuple[str, ...], float]:
    """Return how many answers a server has given, by method, route and status."""
    with closing(urllib.request.urlopen(figures, timeout=30)) as answer:  # noqa: S310
        families = {one.name: one for one in text_string_to_metric_families(answer.read().decode())}
    assert families["tradewright_http_streams"].samples[0].value == 0
    waits = families["tradewright_http_answer_seconds"].samples
    assert sum(one.value for one in waits if one.name.endswith("_count")) == 4
    return {
        tuple(one.labels[name] for name in ("method", "route", "status")): one.value
        for one in families["tradewright_http_answers"].samples
        if one.name.endswith("_total")
    }


def test_the_command_serves_until_it_is_told_to_stop(
    engine_database: str, engine: Session, kim: str
) -> None:
    command = [sys.executable, "-m", "tradewright", "serve", "--port", "0", "--json"]
    command += ["--metrics", "127.0.0.1:0"]
    environment = {
        **os.environ,
        "DATABASE_URL": engine_database,
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            figures = json.loads(process.stdout.readline())["figures"]
            address = json.loads(process.stdout.readline())["address"]
            web = Web("127.0.0.1", int(address.rpartition(":")[2]), key_of(engine, kim))
            assert web.get("/v1/me").json["user_id"] == kim
            assert web.get("/v1/orders/" + new_id_text()).status == 404
            assert web.get("/v1/orders/" + new_id_text()).status == 404
            assert web.get(f"/{new_id_text()}").status == 404
            assert answers(figures) == {
                ("GET", "/v1/me", "200"): 1,
                ("GET", "/v1/orders/{order_id}", "404"): 2,
                ("GET", "other", "404"): 1,
            }
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_an_address_that_is_taken_is_told(web: Web, engine_database: str) -> None:
    command = [sys.executable, "-m", "tradewright", "serve", "--port", str(web.port), "--json"]
    ended = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "DATABASE_URL": engine_database,
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
    )
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["error"]["code"] == "SERVER_ADDRESS_UNUSABLE"


@pytest.mark.parametrize(
    ("proxies", "known"),
    [((), "127.0.0.1"), (("127.0.0.1",), "203.0.113.7"), (("192.0.2.0/24",), "127.0.0.1")],
)
def test_a_payment_is_checked_by_the_address_that_a_trusted_proxy_tells(
    engine_database: str, engine: Session, proxies: tuple[str, ...], known: str
) -> None:
    user_id = new_user(engine)
    body = {"kind": "deposit", "amount": "10.00", "currency": "USD", "provider": "cards"}
    with served(
        engine_database, settings=HttpSettings(proxies=tuple(map(ip_network, proxies)))
    ) as web:
        asking = web.with_key(key_of(engine, user_id)).with_headers(
            X_Forwarded_For="203.0.113.7", Idempotency_Key=new_id_text()
        )
        assert asking.post("/v1/payments", body).status == 201
    [row] = engine.execute("SELECT host(address) FROM user_ip_addresses").fetchall()
    assert row == (known,)
