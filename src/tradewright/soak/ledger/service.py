"""A soak of the ledger: random operations of all kinds, on few hot wallets, under kill -9.

Several processes work on a server of the soak's own, which is killed and started again while they
do. Afterwards every law of the database is held, and what the clients were told is replayed
against the journal (`checking`). Read `commands` for what is done.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from tradewright.audit import analyze_record, check_laws
from tradewright.core.ids import new_id_text
from tradewright.core.processes import WorkProcess
from tradewright.ledger import (
    HouseCode,
    credit,
    house_holder_ids,
    roll_up_house_balances,
    sealing,
)
from tradewright.postgres.connect import Session
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.postgres.queries import load_queries
from tradewright.risk.model import ClientClass
from tradewright.soak.ledger.calls import Cast
from tradewright.soak.ledger.checking import Entry, Findings, check_entries
from tradewright.soak.ledger.commands import (
    ACCOUNT_CURRENCY,
    WALLET_CURRENCIES,
    CommandStream,
)
from tradewright.soak.ledger.effects import Effect, EffectFinder, WalletIds
from tradewright.soak.ledger.performing import SessionRecord, serve_session
from tradewright.soak.ledger.report import LedgerSoak, Part, told
from tradewright.soak.plan import SoakPlan, kill_instants, wait_for_each
from tradewright.trading.registry import AccountSettings, grant_role, open_account, open_user
from tradewright.wiring import House

USERS = 4
OPENING = Decimal(500)


@dataclass(frozen=True, slots=True)
class _Stage:
    """The cast with its wallets, and the effects of opening them."""

    cast: Cast
    wallet_ids: WalletIds
    openings: Sequence[Effect]


def soak_ledger(server: EmbeddedServer, house: House, plan: SoakPlan) -> LedgerSoak:
    """Run a soak on a server that nobody else uses, and check what it left."""
    with house.session() as session, session.transaction():
        stage = _open_stage(session)
    with ExitStack() as running:
        processes = [
            running.enter_context(
                WorkProcess[SessionRecord](
                    serve_session, house.conninfo, stage.cast, plan.seed, number
                )
            )
            for number in range(plan.sessions)
        ]
        for process in processes:
            process.begin(plan.seconds)
        kills = _kill_now_and_then(server, house, plan)
        records = [process.finish() for process in processes]
    parts = [_part(plan, stage, number, record) for number, record in enumerate(records)]
    with house.patient_session() as session, session.transaction():
        analyze_record(session)
        sealing.seal(session)
        roll_up_house_balances(session)
        findings = _check(session, stage, parts)
        return told(plan, kills, parts, (findings, check_laws(session)))


def _open_stage(session: Session) -> _Stage:
    """Open users, accounts and funded wallets; few, so that all sessions meet in them."""
    user_ids, account_ids, openings = [], [], []
    wallet_ids: WalletIds = {}
    for number in range(USERS):
        user_id = open_user(
            session,
            email=f"{number}@soak.example",
            client_class=ClientClass.PROFESSIONAL,
            kyc_level=4,
        )
        grant_role(session, user_id, "trader")
        settings = AccountSettings(currency=ACCOUNT_CURRENCY, leverage=100)
        account_ids.append(open_account(session, user_id, settings))
        user_ids.append(user_id)
        for currency in WALLET_CURRENCIES:
            effect = _open_wallet(session, user_id, currency)
            wallet_ids[user_id, currency] = effect.holder_id
            openings.append(effect)
    clearing = house_holder_ids(session, ACCOUNT_CURRENCY)[HouseCode.CLEARING]
    wallets = [wallet_ids[user_id, ACCOUNT_CURRENCY] for user_id in user_ids]
    return _Stage(Cast(user_ids, account_ids, wallets, clearing), wallet_ids, openings)


def _open_wallet(session: Session, user_id: str, currency: str) -> Effect:
    key = new_id_text()
    reply = credit(session, user_id, currency, OPENING, transaction_id=key)
    return Effect((key, "credit"), reply.holder_id, "credit", OPENING, told=reply)


def _kill_now_and_then(server: EmbeddedServer, house: House, plan: SoakPlan) -> int:
    """Kill the server at instants drawn from the seed, start it and seal the ledger; count them."""
    instants = kill_instants(plan, "kills")
    for _ in wait_for_each([(instant, "server") for instant in instants]):
        server.kill()
        server.start()
        with house.session() as session, session.transaction():
            sealing.seal(session)
    return len(instants)


def _part(plan: SoakPlan, stage: _Stage, number: int, record: SessionRecord) -> Part:
    """Draw a session's commands once more; they are the same, because the seed is."""
    stream = CommandStream(plan.seed, number, len(stage.cast.user_ids))
    commands = list(islice(stream, len(record.outcomes)))
    return Part(commands, record.outcomes, record.retries)


def _check(session: Session, stage: _Stage, parts: Sequence[Part]) -> Findings:
    queries = load_queries("tradewright.soak.ledger")
    entries = (
        Entry(row[0], row[1], (row[2], row[3]), *row[4:])
        for row in session.execute(queries["entries_in_order"]).fetchall()
    )
    rows = session.execute(queries["balances_of_holders"]).fetchall()
    return check_entries(
        entries, _effects(stage, parts), {row[0]: (row[1], row[2]) for row in rows}
    )


def _effects(stage: _Stage, parts: Sequence[Part]) -> Iterator[Effect]:
    finder = EffectFinder(stage.cast, stage.wallet_ids)
    yield from stage.openings
    for part in parts:
        yield from finder.effects(part.commands, part.outcomes)
