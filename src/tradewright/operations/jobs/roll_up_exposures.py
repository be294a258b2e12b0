"""Count what batches have appended into the house's exposure, so that reading it stays cheap."""

from tradewright.operations.model import Job, Means
from tradewright.trading.house_store import roll_up_exposures


def _work(means: Means) -> int:
    with means.source() as session:
        return roll_up_exposures(session)


JOB = Job(name="roll_up_exposures", work=_work)
