"""The way to PostgreSQL: sessions, pools, retries, named queries, and a server of our own.

Knows nothing of trading or of migrations. Read `connect` for the rules of a session, `retry` for
what may be run twice, `refusals` for how a server's error becomes ours, `embedded` for the server
that development, tests and the demonstration run on. Names are imported from the modules, so that
importing one thing does not load all.
"""
