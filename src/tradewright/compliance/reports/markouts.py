"""Markouts: what clients' fills gained soon after they were dealt, from every quote of the market.

The markout of a fill after a time is s * (middle then - price) / price in basis points (domain rule
1.7), as the engine has measured it and kept it in `client_measures`: of the fills of hybrid
accounts, which toxicity divides orders by. The report `best-execution` has those of every account
from the quotes that orders have seen; these are fewer fills and all quotes.

Monitoring under article 27 of Directive 2014/65/EU, no publication.
"""

from tradewright.compliance import store
from tradewright.compliance.model import Findings, Option, Report, Scope
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.routing.markouts import MARKOUT_BPS_MAX


def _read(session: Session, scope: Scope) -> Findings:
    asked = {
        "begin": scope.begin,
        "end": scope.end,
        "account_id": scope.account_id,
        "provider": scope.provider,
        "symbol": scope.symbol,
        "cut_off_at": MARKOUT_BPS_MAX,
    }
    queries = load_queries("tradewright.compliance.reports")
    measured, unmeasured = store.count(session, queries["markout_counts"], asked)
    rows = list(store.stream(session, queries["markouts"], asked))
    facts = {
        "fills": measured,
        "excluded": {"fills of hybrid accounts that were not measured": unmeasured},
        "cut_off_bps": MARKOUT_BPS_MAX,
        "rows": len(rows),
    }
    return Findings(facts, iter(rows))


REPORT = Report(
    name="markouts",
    purpose="what clients' fills gained 1, 10 and 60 seconds after they were dealt",
    law="Directive 2014/65/EU, article 27; no publication is claimed",
    options=(Option.BEGIN, Option.END, Option.ACCOUNT, Option.PROVIDER, Option.SYMBOL),
    columns=(
        *("client_id", "book", "provider", "symbol", "horizon_s", "fills", "quantity"),
        *("mean_bps", "weighted_bps", "deviation_bps", "p5_bps", "p50_bps", "p95_bps"),
        *("gaining_share", "cut_off", "first_at", "last_at"),
    ),
    shown=(
        *("client_id", "book", "provider", "symbol", "horizon_s", "fills", "mean_bps"),
        *("weighted_bps", "p50_bps", "gaining_share"),
    ),
    read=_read,
)
