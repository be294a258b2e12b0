"""Reconciliation with liquidity providers: their list of a day's trades beside our executions.

Read `match` for the decision, which is pure; `trade_list` for the files; `service` for the run,
whose differences stay open until a later run no longer finds them. The manner is that of
`payments.reconciliation`; what both read of files stands in `core.statements`.
"""
