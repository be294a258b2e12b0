"""Ask providers for what they were not asked for yet; they know a repeat by its id.

What one of them refuses holds up none of the others: the first error is raised once all were asked.
"""

from tradewright.core.errors import TradewrightError
from tradewright.operations.model import Job, Means
from tradewright.payments.submission import submit_due


def _lacks(means: Means) -> str:
    return "" if means.providers else "a payment provider to ask"


def _work(means: Means) -> int:
    count, errors = 0, []
    with means.source() as session:
        for provider in means.providers.values():
            try:
                count += submit_due(session, provider)
            except TradewrightError as error:
                errors.append(error)
    if errors:
        raise errors[0]
    return count


JOB = Job(name="submit_payments", work=_work, lacks=_lacks)
