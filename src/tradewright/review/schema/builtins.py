"""The names that PostgreSQL 18 brings along, and those that common extensions add."""

from functools import cache
from pathlib import Path

EXTENSION_OF = {
    "uuid_generate_v1": "uuid-ossp",
    "uuid_generate_v1mc": "uuid-ossp",
    "uuid_generate_v3": "uuid-ossp",
    "uuid_generate_v4": "uuid-ossp",
    "uuid_generate_v5": "uuid-ossp",
    "uuid_nil": "uuid-ossp",
    "crypt": "pgcrypto",
    "gen_salt": "pgcrypto",
    "gen_random_bytes": "pgcrypto",
    "digest": "pgcrypto",
    "hmac": "pgcrypto",
    "pgp_sym_encrypt": "pgcrypto",
    "pgp_sym_decrypt": "pgcrypto",
    "pgp_pub_encrypt": "pgcrypto",
    "similarity": "pg_trgm",
    "word_similarity": "pg_trgm",
    "unaccent": "unaccent",
    "levenshtein": "fuzzystrmatch",
    "soundex": "fuzzystrmatch",
    "crosstab": "tablefunc",
    "hstore": "hstore",
    "citext": "citext",
    "ltree": "ltree",
    "cube": "cube",
    "vector": "vector",
    "halfvec": "vector",
    "geometry": "postgis",
    "geography": "postgis",
    "st_distance": "postgis",
    "st_makepoint": "postgis",
    "moddatetime": "moddatetime",
    "create_hypertable": "timescaledb",
    "gin_trgm_ops": "pg_trgm",
    "gist_trgm_ops": "pg_trgm",
    "vector_cosine_ops": "vector",
    "vector_l2_ops": "vector",
    "vector_ip_ops": "vector",
}
"""Function, type or operator class → the extension that brings it."""

COMES_WITH = {"postgis": ("postgis_raster", "postgis_topology"), "cube": ("earthdistance",)}


@cache
def _sections() -> dict[str, frozenset[str]]:
    text = Path(__file__).with_suffix(".txt").read_text("ascii")
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            names = found.setdefault(line.strip("[]"), [])
        elif not line.startswith("#"):
            names += line.split()
    return {section: frozenset(names) for section, names in found.items()}


@cache
def functions() -> frozenset[str]:
    """Return the names of all functions of pg_catalog."""
    return frozenset().union(
        *(_sections()[s] for s in ("immutable", "mixed", "stable", "volatile"))
    )


def volatile_functions() -> frozenset[str]:
    """Return the functions whose value may differ from row to row."""
    return _sections()["volatile"]


@cache
def unstable_functions() -> frozenset[str]:
    """Return the functions that no index may use: stable or volatile in every form."""
    return _sections()["volatile"] | _sections()["stable"]


def types() -> frozenset[str]:
    """Return the names of all types of pg_catalog."""
    return _sections()["types"]
