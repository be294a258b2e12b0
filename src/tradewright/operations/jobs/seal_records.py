"""Seal what was committed to the append-only tables that no other seal covers."""

from tradewright.audit import seal_records
from tradewright.operations.model import Job, Means


def _work(means: Means) -> int:
    with means.source() as session:
        return seal_records(session)


JOB = Job(name="seal_records", work=_work)
