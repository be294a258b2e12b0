"""Figures for Prometheus: of the house, read from its database, and of a running engine.

Needs prometheus-client, of the extra `[server]`; so callers import it where it is wanted.
"""
