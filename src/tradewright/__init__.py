"""Tradewright: a broker's trading engine in PostgreSQL, and the tools that keep it right.

The package has two wings that meet in the database's schema (`migrations/`): the schema wing
(`migrate`, `review`) works on anybody's migrations, the engine wing runs a broker. Read
docs/explain/architecture.md for the way through the rooms. Importing this module imports nothing
else, so that the command line starts at once.
"""

__version__ = "0.1.0"
