"""A schema as comparable text: what PostgreSQL itself says about each object, and the difference.

Two snapshots are equal when the schemas are, whatever way led there: object ids, the gaps that
dropped columns leave and grants that were never written down do not count. Rows, sequence values
and statistics are not part of it.
"""

from tradewright.migrate.catalog.model import Catalog, CatalogKey, Change, Difference, compare
from tradewright.migrate.catalog.reader import Objects, read_catalog, read_parts, take_catalog

__all__ = [
    "Catalog",
    "CatalogKey",
    "Change",
    "Difference",
    "Objects",
    "compare",
    "read_catalog",
    "read_parts",
    "take_catalog",
]
