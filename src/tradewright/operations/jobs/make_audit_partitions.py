"""Keep the audit log's partitions of this and the next twelve months ready."""

from tradewright.operations.model import Job, Means
from tradewright.operations.partitions import make_partitions

_MONTHS_AHEAD = 12


def _work(means: Means) -> int:
    with means.source() as session:
        return make_partitions(session, _MONTHS_AHEAD)


JOB = Job(name="make_audit_partitions", work=_work)
