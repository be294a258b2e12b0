"""Try the messages of providers again that waited for something, such as for their payment.

Of one that waits for long, people are told.
"""

from tradewright.operations.model import Job, Means
from tradewright.payments.model import Provider
from tradewright.payments.webhooks.inbox import raise_long_waiting, retry_waiting


def _work(means: Means) -> int:
    providers = (provider for provider in Provider if provider is not Provider.DIRECT)
    done = sum(retry_waiting(means.source, provider) for provider in providers)
    raise_long_waiting(means.source)
    return done


JOB = Job(name="retry_webhooks", work=_work)
