"""The entry points of the proof, and the way from its facts to findings."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from tradewright.core.clock import monotonic_seconds
from tradewright.postgres.embedded import EmbeddedServer
from tradewright.review.hits import Answer, findings_of
from tradewright.review.ignores import without_ignored
from tradewright.review.model import Finding, Stage
from tradewright.review.prove.model import Fact, ProofResult
from tradewright.review.prove.prover import Prover
from tradewright.review.prove.shadow import shadow_database
from tradewright.review.registry import all_rules
from tradewright.review.rule import Context, Event, Rule
from tradewright.review.schema.catalog import Schema
from tradewright.review.settings import Settings
from tradewright.review.source.statements import read_statements
from tradewright.review.source.text import Source


def prove(
    sources: Sequence[Source], *, server: EmbeddedServer, settings: Settings | None = None
) -> ProofResult:
    """Prove sources, as `read_folder` gives them, on a database of their own on `server`.

    The result says whether all applies, whether the downs lead back, and each finding with its
    place. The database and every role that the migrations made are gone afterwards.
    """
    readings = [read_statements(source) for source in sources]
    context = Context(Schema(), settings or Settings(), readings=readings)
    return prove_context(context, server=server)


def prove_context(
    context: Context,
    *,
    server: EmbeddedServer,
    before_end: Callable[[Prover], None] | None = None,
) -> ProofResult:
    """Prove what a review has already read; `before_end` sees the schema while it stands."""
    started = monotonic_seconds()
    with shadow_database(server) as shadow:
        prover = Prover(shadow, context)
        prover.build()
        prover.try_orphans()
        prover.fire_triggers()
        if before_end is not None:
            before_end(prover)
        all_down = prover.all_down
    return ProofResult(
        files=tuple(prover.files),
        facts=tuple(prover.facts),
        findings=tuple(findings_from(prover.facts, context)),
        keys=tuple(prover.keys),
        schema_objects=prover.schema_objects,
        elapsed_ms=round((monotonic_seconds() - started) * 1000),
        all_down=all_down,
    )


def findings_from(facts: Iterable[Fact], context: Context) -> list[Finding]:
    """Show every fact to the rules that asked for its kind."""
    by_kind: dict[str, list[Rule]] = defaultdict(list)
    for rule in all_rules().values():
        if rule.id not in context.settings.disable:
            for kind in rule.kinds:
                by_kind[kind].append(rule)
    answers: list[Answer] = []
    for fact in facts:
        statement = fact.statement
        event = Event(fact.KIND, statement.source, statement, statement.node, fact=fact)
        for rule in by_kind.get(fact.KIND, ()):
            answers += [(rule, hit) for hit in rule.check(context, event)]
    found = findings_of(answers, context.settings, Stage.PROVE)
    return without_ignored(found, context.readings)
