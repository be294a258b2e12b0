"""Signed messages, both ways: what providers tell us, and the form in which we tell others.

Read `signature` for how a message is proven, `inbox` for how it is taken once, `apply` for what
it does to a payment, `receiver` for the HTTP endpoint. Names are imported from the modules.
"""
