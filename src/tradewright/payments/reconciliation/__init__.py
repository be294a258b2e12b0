"""Reconciliation and settlement: a provider's statement beside our payments and our ledger.

Read `match` for the decision, which is pure; `statements` for the files; `service` for the run,
whose differences stay open until a later run no longer finds them; `taken` for the statements that
were read and how one is withdrawn; `settlement` for what a
provider's day comes to. Names are imported from the modules.
"""
