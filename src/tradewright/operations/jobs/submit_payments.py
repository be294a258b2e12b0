"""Ask providers for what they were not asked for yet; they know a repeat by its id."""

from tradewright.operations.model import Job, Means
from tradewright.payments.submission import submit_due


def _lacks(means: Means) -> str:
    return "" if means.providers else "a payment provider to ask"


def _work(means: Means) -> int:
    with means.source() as session:
        return sum(submit_due(session, provider) for provider in means.providers.values())


JOB = Job(name="submit_payments", work=_work, lacks=_lacks)
