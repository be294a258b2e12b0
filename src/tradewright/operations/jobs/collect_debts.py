"""Pay what clients owe from money that has come into their wallets since."""

from tradewright.operations.model import Job, Means
from tradewright.payments.debts import collect_open_debts


def _work(means: Means) -> int:
    return collect_open_debts(means.source)


JOB = Job(name="collect_debts", work=_work)
