"""FIX 4.4 to liquidity providers: the wire, the session, the application, and their connection.

Read `codec` (bytes), `session` (the state machine), `line` (a connection that does what it says),
`application` (what messages mean) and `gateway` (all of it for one provider). `acceptor` is the
other side for tests and demos: a simulated provider that speaks FIX and fails on purpose.
"""
