"""Count what was committed into the house's balances, so that reading them stays cheap."""

from tradewright.ledger import roll_up_house_balances
from tradewright.operations.model import Job, Means


def _work(means: Means) -> int:
    with means.source() as session:
        return roll_up_house_balances(session)


JOB = Job(name="roll_up_house_balances", work=_work)
