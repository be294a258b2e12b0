"""Keep the audit log's partitions of this and the next twelve months ready."""

from tradewright.operations.model import Job, Means
from tradewright.postgres.queries import load_queries

_MONTHS_AHEAD = 12


def _work(means: Means) -> int:
    query = load_queries("tradewright.operations.jobs")["make_audit_partitions"]
    with means.source() as session:
        row = session.execute(query, {"months": _MONTHS_AHEAD}).fetchone()
    return 0 if row is None else int(row[0])


JOB = Job(name="make_audit_partitions", work=_work)
