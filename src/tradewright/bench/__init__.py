"""Measurements: ours beside something public, in the same run, on the same server.

A figure alone says little on a shared machine; the ratio of two figures taken in turn says more.
Each benchmark runs several interleaved rounds and reports medians. Nothing here is a test.
"""

from tradewright.bench.ledger import SIDES, LedgerBench, LedgerLoad, bench_ledger
from tradewright.bench.orders import OrdersBench, OrdersLoad, bench_orders
from tradewright.bench.quotes import QuotesBench, QuotesLoad, bench_quotes
from tradewright.bench.review import ReviewBench, ReviewLoad, bench_review
from tradewright.bench.sides import BENCH_SETTINGS, SideFigures

__all__ = [
    "BENCH_SETTINGS",
    "SIDES",
    "LedgerBench",
    "LedgerLoad",
    "OrdersBench",
    "OrdersLoad",
    "QuotesBench",
    "QuotesLoad",
    "ReviewBench",
    "ReviewLoad",
    "SideFigures",
    "bench_ledger",
    "bench_orders",
    "bench_quotes",
    "bench_review",
]
