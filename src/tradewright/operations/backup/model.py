"""What is written down of a backup beside it: where it came from, and what a restore must show."""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

FORMAT = "tradewright-backup-1"


class BackupKind(StrEnum):
    """A copy of the server's files, of what has changed in them since another, or a dump."""

    FULL = "full"
    INCREMENTAL = "incremental"
    LOGICAL = "logical"


class Keeping(StrEnum):
    """What may become of a table's rows: nothing, changes only, or they may go in time."""

    APPEND_ONLY = "append-only"
    KEPT = "kept"
    FREE = "free"


class TableFigures(Struct, frozen=True, kw_only=True):
    """A table: its rows, and the number and digest of those that can change no more.

    Of a dump that is every row; of a copy of files the rows of an append-only table that were
    written by transactions below the horizon. `digest` is empty where nothing is so certain.
    """

    keeping: Keeping
    rows: int
    settled_rows: int = 0
    digest: str = ""


class MoneyFigures(Struct, frozen=True, kw_only=True):
    """What clients have in a currency, and what was ever moved in it."""

    clients: str
    transfers: int
    moved: str


class SealFigures(Struct, frozen=True, kw_only=True):
    """The last seal of a record."""

    seq: int
    head: str


class Figures(Struct, frozen=True, kw_only=True):
    """What one snapshot of a house shows.

    All transactions below `horizon` had ended when it was taken; `laws` tells how many things break
    each law, and is empty where they were not checked. `objects` has a sum of the definition of
    each thing that the schema is made of, by its kind and name.
    """

    read_at: datetime
    horizon: int
    tables: dict[str, TableFigures]
    money: dict[str, MoneyFigures]
    audit_seal: SealFigures | None
    ledger_seal: SealFigures | None
    laws: dict[str, int]
    migrations: dict[str, str]
    objects: dict[str, str] = {}
    record_seal: SealFigures | None = None


class Origin(Struct, frozen=True, kw_only=True):
    """The server and database that a backup was made of."""

    server_version: int
    database: str
    schema: str
    superuser: str
    roles: list[str]


class Manifest(Struct, frozen=True, kw_only=True):
    """A backup: what kind, of what, since when; `base` names the backup that it builds on.

    `system_id` and the places in the WAL are those of the server's files, and empty for a dump.
    `restored_bytes` is how much the files were that it was made of, 0 where nobody has asked.
    """

    format: str
    name: str
    kind: BackupKind
    base: str | None
    started_at: datetime
    origin: Origin
    system_id: str
    start_lsn: str
    end_lsn: str
    bytes: int
    restored_bytes: int = 0
    figures: Figures
