"""Best execution: what dealing with each provider, and with the house, was worth to clients.

Monitoring under article 27 of Directive 2014/65/EU, no publication: the quarterly and yearly
reports of RTS 27 and RTS 28 are no duty any more. The measures are those of the field:

- effective spread 2 * s * (price - middle at arrival), quoted spread, and the first over the second
  (17 CFR 242.600 and 242.605, as amended on 6 March 2024); s is +1 for a buy and -1 for a sell;
- slippage s * (price - the provider's own quote that was seen), and whether it falls to both sides
  alike (FX Global Code, principle 17: symmetric);
- markout s * (middle a time after - price) / price, as `routing/markouts.py` has it: the client's
  gain, from the middles that are on record.

Every figure is computed from the single dealings of its group, never from other figures. Means are
weighted by quantity and so are of one instrument; percentiles are `percentile_cont`.
"""

from collections.abc import Iterator

from tradewright.compliance import store
from tradewright.compliance.model import Findings, Option, Report, Row, Scope
from tradewright.postgres.connect import Session
from tradewright.postgres.queries import load_queries
from tradewright.routing.scoring import ANSWER_MS_MAX

_LATENCIES = 3
"""The last columns of a row of the query are arrays of percentiles."""
_PERCENTILES = ("p50", "p90", "p99", "max")
_COUNTED = (
    "rows_read",
    "executions",
    "measured",
    "executions whose quotes at arrival are not on record",
    "executions that saw crossed quotes",
    "executions that were taken back",
    "requests for the house's own hedges",
    "orders that wait for a provider's word now",
)


def _read(session: Session, scope: Scope) -> Findings:
    asked = {
        "begin": scope.begin,
        "end": scope.end,
        "provider": scope.provider,
        "symbol": scope.symbol,
        "answer_ms_max": ANSWER_MS_MAX,
    }
    queries = load_queries("tradewright.compliance.reports")
    counts = store.count(session, queries["best_execution_counts"], asked)
    counted = dict(zip(_COUNTED, counts, strict=True))
    rows = list(_flat(store.stream(session, queries["best_execution"], asked)))
    facts = {
        "dealings": counted.pop("rows_read"),
        **{name: counted.pop(name) for name in ("executions", "measured")},
        "timeout_ms": ANSWER_MS_MAX,
        "excluded": counted,
        "rows": len(rows),
    }
    return Findings(facts, iter(rows))


def _flat(rows: Iterator[Row]) -> Iterator[Row]:
    """Give the percentiles of latencies columns of their own."""
    for row in rows:
        arrays = [one or (None,) * len(_PERCENTILES) for one in row[-_LATENCIES:]]
        yield (*row[:-_LATENCIES], *(value for array in arrays for value in array))


REPORT = Report(
    name="best-execution",
    purpose="what dealing with each provider, and with the house, was worth to clients",
    law="Directive 2014/65/EU, article 27; no publication under RTS 27 or 28 is claimed",
    options=(Option.BEGIN, Option.END, Option.PROVIDER, Option.SYMBOL),
    columns=(
        *("book", "provider", "symbol", "lots", "day", "requests", "quantity_asked"),
        *("quantity_dealt", "fill_rate", "partial_rate", "reject_rate", "timeout_rate"),
        *(
            "quantity_fill_rate",
            "rejections",
            "measured",
            "effective_spread_bps",
            "effective_spread_bps_p50",
        ),
        *("effective_spread_bps_p90", "quoted_spread_bps", "effective_over_quoted"),
        *("improved", "improved_amount", "worsened", "worsened_amount", "unchanged", "currency"),
        *("slippage_bps_p5", "slippage_bps_p50", "slippage_bps_p95", "symmetry"),
        "behind_best_bps",
        *(
            f"markout_{after}_{what}"
            for after in ("100ms", "1s", "10s", "60s")
            for what in ("count", "bps")
        ),
        *(f"{what}_ms_{one}" for what in ("queue", "hold", "total") for one in _PERCENTILES),
    ),
    shown=(
        *("symbol", "book", "provider", "lots", "day", "requests", "quantity_fill_rate"),
        "measured",
        *("effective_spread_bps", "effective_over_quoted", "symmetry", "behind_best_bps"),
        *("markout_10s_count", "markout_10s_bps", "hold_ms_p50", "total_ms_p99"),
    ),
    read=_read,
)
