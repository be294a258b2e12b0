"""Tell people when the last good backup or drill is older than the house has declared."""

from tradewright.operations.model import Job, Means
from tradewright.postgres.queries import load_queries


def _work(means: Means) -> int:
    query = load_queries("tradewright.operations.jobs")["watch_backups"]
    with means.source() as session:
        row = session.execute(query).fetchone()
    return 0 if row is None else int(row[0])


JOB = Job(name="watch_backups", work=_work)
