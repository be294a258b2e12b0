"""Try the messages of providers again that waited for something, such as for their payment."""

from tradewright.operations.model import Job, Means
from tradewright.payments.model import Provider
from tradewright.payments.webhooks.inbox import retry_waiting


def _work(means: Means) -> int:
    providers = (provider for provider in Provider if provider is not Provider.DIRECT)
    return sum(retry_waiting(means.source, provider) for provider in providers)


JOB = Job(name="retry_webhooks", work=_work)
