"""The declared functions are called by several sessions at once, and the declared laws hold after.

A refusal in the functions' own words is an answer; a deadlock, or an error of the server's own
classes, is a failure, and so is a trigger that fails by its own mistake. What a project declares
stands in `verify/functions.sql`.
"""

import threading
import uuid
from collections import Counter
from collections.abc import Mapping

import psycopg

from tradewright.core.clock import monotonic_seconds
from tradewright.review.prove.model import TriggerFailed
from tradewright.review.prove.shadow import Shadow
from tradewright.review.verify.ask import ask
from tradewright.review.verify.model import Check, Ground
from tradewright.review.verify.outcome import Outcome

SESSIONS = 8
ROUNDS = 40
_OWN_CLASSES = ("08", "22", "25", "40", "42", "53", "54", "55", "57", "58", "XX", "")
"""Classes of SQLSTATE that no function answers with on purpose; the empty one is a lost session."""


def _run(ground: Ground) -> Outcome:
    failed = [
        f"trigger {fact.trigger} of {fact.table} fails on {fact.command}: {fact.word}"
        for fact in ground.told(TriggerFailed)
        if isinstance(fact, TriggerFailed)
    ]
    if failed:
        return Outcome.of("triggers fail by their own mistake", failed, {"triggers": len(failed)})
    if ground.declared.functions_named("call_") and ground.declared.functions_named("law_"):
        return _called(ground)
    count = len(ask(ground.shadow, "functions"))
    declared = "none is declared in verify/functions.sql"
    return Outcome.not_applicable(f"{count} functions, {declared}" if count else "no function")


def _called(ground: Ground) -> Outcome:
    laws = ground.declared.functions_named("law_")
    with ground.shadow.neighbour(copy=True) as copy:
        _prepare(copy, ground.declared.functions_named("prepare_"))
        started = monotonic_seconds()
        answers = _call_at_once(copy, ground.declared.functions_named("call_"))
        elapsed = monotonic_seconds() - started
        broken = _broken_laws(copy, laws)
    problems = [
        f"{count} calls ended with SQLSTATE {state or 'none'}"
        for state, count in sorted(answers.items())
        if state != "done" and state[:2] in _OWN_CLASSES
    ]
    refused = sum(n for state, n in answers.items() if state != "done")
    figures = f"{answers['done']} calls by {SESSIONS} sessions, {refused} refused, {len(laws)} laws"
    facts = {"calls": dict(answers), "laws": len(laws), "elapsed_ms": round(elapsed * 1000)}
    return Outcome.of(figures, [*problems, *broken], facts)


def _prepare(shadow: Shadow, statements: Mapping[str, str]) -> None:
    with shadow.session() as session:
        for text in statements.values():
            session.execute(text.encode())


def _call_at_once(shadow: Shadow, calls: Mapping[str, str]) -> Counter[str]:
    """Let every session make its rounds; return how often each SQLSTATE, or `done`, came back."""
    answers: Counter[str] = Counter()
    begin = threading.Barrier(SESSIONS)
    workers = [
        threading.Thread(target=_work, args=(shadow, list(calls.values()), number, begin, answers))
        for number in range(SESSIONS)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return answers


def _work(
    shadow: Shadow,
    calls: list[str],
    worker: int,
    begin: threading.Barrier,
    answers: Counter[str],
) -> None:
    mine: Counter[str] = Counter()
    with shadow.session() as session:
        begin.wait()
        for number in range(ROUNDS):
            text = calls[(number + worker) % len(calls)]
            facts = {"worker": worker, "round": number, "key": uuid.uuid4()}
            try:
                session.execute(text.encode(), facts)
                mine["done"] += 1
            except psycopg.Error as error:
                mine[error.sqlstate or ""] += 1
    answers.update(mine)


def _broken_laws(shadow: Shadow, laws: Mapping[str, str]) -> list[str]:
    broken = []
    with shadow.session() as session:
        for name, text in laws.items():
            rows = session.execute(text.encode()).fetchall()
            if rows:
                broken.append(f"{name} is broken {len(rows)} times, first by {rows[0]}")
    return broken


CHECK = Check(
    number=8,
    id="functions",
    title="Functions hold under concurrency",
    run=_run,
    is_part_of_review=False,
)
