"""Rewriting migrations: what can be corrected safely, shown as a diff, proven before it is offered.

`edits` and `spans` find the exact bytes of what a rule wants changed, so that a file keeps its
comments and its lines; `mysql` turns files of MySQL into PostgreSQL; `taking_back` writes a down
file from an up file; `prove` runs the result on a scratch server; `service` puts them together.
"""
