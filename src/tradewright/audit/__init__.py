"""Who changed what, whether it still holds, and whether the record was touched.

The database writes the record itself (triggers and guards of migrations 003 to 006); this room
names the actor (`context`), holds the laws against the rows (`laws`), seals and verifies the
record (`seals`, `records`) and reads it (`trail`). It changes nothing but seals.
"""

from tradewright.audit.context import acting_as
from tradewright.audit.laws import (
    LawCheck,
    LawResult,
    analyze_record,
    check_and_keep_laws,
    check_laws,
    read_law_checks,
    require_laws,
)
from tradewright.audit.records import (
    RecordFault,
    RecordVerification,
    seal_records,
    verify_records,
)
from tradewright.audit.seals import (
    Chain,
    Head,
    Verification,
    export_heads,
    new_heads,
    read_heads,
    seal,
    verify,
)
from tradewright.audit.trail import TrailEntry, archived_months, read_trail

__all__ = [
    "Chain",
    "Head",
    "LawCheck",
    "LawResult",
    "RecordFault",
    "RecordVerification",
    "TrailEntry",
    "Verification",
    "acting_as",
    "analyze_record",
    "archived_months",
    "check_and_keep_laws",
    "check_laws",
    "export_heads",
    "new_heads",
    "read_heads",
    "read_law_checks",
    "read_trail",
    "require_laws",
    "seal",
    "seal_records",
    "verify",
    "verify_records",
]
