"""Orders, fills, positions and trades: the batch that books them, and what proposes to it.

Read `batch` first, then `decide` (the decisions), `store` (the rows), `writer` (natural batching),
`watch` (resting orders, protections, margin levels) and `engine` (all of it together).
"""
