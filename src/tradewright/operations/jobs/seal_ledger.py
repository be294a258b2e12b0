"""Seal the entries and transfers that were committed since the last seal."""

from tradewright.ledger import sealing
from tradewright.operations.model import Job, Means


def _work(means: Means) -> int:
    with means.source() as session:
        return sum(sealing.seal(session))


JOB = Job(name="seal_ledger", work=_work)
