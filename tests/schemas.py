"""Values held against the schemas of the interface's own description (JSON Schema in OpenAPI 3.1).

Only the words that the description uses are known; any other is an error, so that nothing which it
says is passed over.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

Schema = Mapping[str, Any]

_TYPES: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}

_FORMATS = {
    "uuid": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "date-time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z",
    "uri": r"(urn|https?):\S+",
}

_SAYS_NOTHING = frozenset({"title", "description", "examples", "default", "deprecated"})

_CHECKED = frozenset(
    {
        *("$ref", "anyOf", "type", "format", "enum", "const", "pattern", "minimum", "maximum"),
        *("minLength", "maxLength", "items", "properties", "required", "additionalProperties"),
    }
)


def faults(value: object, schema: Schema, whole: Schema, place: str = "$") -> list[str]:
    """Return where a value is not what a schema of the whole description says."""
    unknown = schema.keys() - _SAYS_NOTHING - _CHECKED
    assert not unknown, f"{place}: the description uses words that nobody checks: {unknown}"
    if "$ref" in schema:
        return faults(value, named(schema["$ref"], whole), whole, place)
    if "anyOf" in schema:
        tried = [faults(value, each, whole, place) for each in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    return [*_plain(value, schema, place), *_inside(value, schema, whole, place)]


def named(reference: str, whole: Schema) -> Schema:
    """Return the schema that a reference names."""
    found: Any = whole
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    schema: Schema = found
    return schema


def _plain(value: object, schema: Schema, place: str) -> Iterator[str]:
    kind = schema.get("type")
    if kind is not None and not _TYPES[kind](value):
        yield f"{place}: {value!r} is no {kind}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{place}: {value!r} is not {schema['const']!r}"
    if isinstance(value, str):
        yield from _text(value, schema, place)
    if isinstance(value, int | float) and not _is_within(value, schema):
        yield f"{place}: {value!r} is out of range"


def _is_within(value: float, schema: Schema) -> bool:
    is_enough: bool = schema.get("minimum", value) <= value
    is_not_too_much: bool = value <= schema.get("maximum", value)
    return is_enough and is_not_too_much


def _text(value: str, schema: Schema, place: str) -> Iterator[str]:
    form = _FORMATS.get(schema.get("format", ""))
    if "format" in schema and (form is None or not re.fullmatch(form, value)):
        yield f"{place}: {value!r} is no {schema['format']}"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{place}: {value!r} is not like {schema['pattern']}"
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{place}: {value!r} has {len(value)} characters"


def _inside(value: object, schema: Schema, whole: Schema, place: str) -> Iterator[str]:
    if isinstance(value, list) and "items" in schema:
        for number, each in enumerate(value):
            yield from faults(each, schema["items"], whole, f"{place}[{number}]")
    if not isinstance(value, dict):
        return
    known = schema.get("properties", {})
    yield from (
        f"{place}.{name}: it lacks" for name in schema.get("required", ()) if name not in value
    )
    others = schema.get("additionalProperties", not known)
    for name, each in value.items():
        if name in known:
            yield from faults(each, known[name], whole, f"{place}.{name}")
        elif isinstance(others, Mapping):
            yield from faults(each, others, whole, f"{place}.{name}")
        elif others is not True:
            yield f"{place}.{name}: nothing says that it is there"


def values_of(schema: Schema, whole: Schema) -> st.SearchStrategy[Any]:
    """Return what makes values that a schema of the whole description allows."""
    if "$ref" in schema:
        return values_of(named(schema["$ref"], whole), whole)
    if "anyOf" in schema:
        return st.one_of([values_of(each, whole) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    if schema["type"] == "object":
        return _objects(schema, whole)
    return _simple(schema)


def _objects(schema: Schema, whole: Schema) -> st.SearchStrategy[Any]:
    made = {name: values_of(each, whole) for name, each in schema["properties"].items()}
    asked = schema.get("required", ())
    return st.fixed_dictionaries(
        {name: made[name] for name in asked},
        optional={name: each for name, each in made.items() if name not in asked},
    )


def _simple(schema: Schema) -> st.SearchStrategy[Any]:
    kind, form = schema["type"], schema.get("format")
    if kind == "string" and form == "uuid":
        return st.uuids(version=4).map(str)
    if kind == "string" and form == "date-time":
        return st.datetimes(timezones=st.just(UTC)).map(lambda at: at.isoformat())
    if kind == "string" and "pattern" in schema:
        length_max = schema.get("maxLength", 200)
        texts = st.from_regex(schema["pattern"], fullmatch=True)
        return texts.filter(lambda text: len(text) <= length_max)
    if kind == "string":
        return st.text(max_size=40)
    if kind == "integer":
        return st.integers(schema.get("minimum", 0), schema.get("maximum", 10**6))
    return {"boolean": st.booleans(), "null": st.none()}[kind]
