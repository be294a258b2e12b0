"""The ground that every room stands on: money, ids, the clock and the error tree.

Nothing here opens a connection or a file. Read `errors` first: it says how the house speaks to
its users when something cannot be done.
"""
