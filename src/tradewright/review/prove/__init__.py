"""The prove stage: what a shadow database shows about a set of migrations.

`prove(sources, server=...)` applies them as their runner would on a database of its own, and
answers with facts and findings. Nothing is ever run anywhere else: `server` is an embedded scratch
server, which `shadow_server()` starts and removes.
"""

from tradewright.review.prove.model import ProofResult
from tradewright.review.prove.shadow import Shadow, shadow_database, shadow_server
from tradewright.review.prove.stage import prove, prove_context

__all__ = [
    "ProofResult",
    "Shadow",
    "prove",
    "prove_context",
    "shadow_database",
    "shadow_server",
]
