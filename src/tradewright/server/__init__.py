"""Where clients reach a running engine: its life from start to signal, and a line for orders.

Read `running` (an engine with its providers until it is told to stop), `order_line` (a local
socket, JSON lines both ways), and `commands` (what may be said on it).
"""
