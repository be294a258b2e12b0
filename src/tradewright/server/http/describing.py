"""What the interface says of itself: OpenAPI, with the problems and the key that every route has.

Bodies, answers and parameters follow from the routes; what all routes share is added here, so no
route can forget it.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tradewright.core.errors import ErrorCode
from tradewright.server.http.problems import MEDIA_TYPE

OPEN_TAG = "health"
"""Routes with this tag ask nobody for a key."""

PROBLEM: dict[str, Any] = {
    "title": "Problem",
    "description": "A refusal (RFC 9457), made of the house's own error.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "what", "why", "hint"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri"},
        "code": {"type": "string", "enum": [str(code) for code in ErrorCode]},
        "what": {"type": "string"},
        "why": {"type": "string"},
        "hint": {"type": "string"},
        "facts": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}
_SECURITY = {
    "key": {"type": "http", "scheme": "bearer", "description": "A key: twk_..."},
    "session": {"type": "apiKey", "in": "cookie", "name": "tradewright_session"},
}
_SHARED = {
    "401": "No key, or one that is refused",
    "403": "The key or its user may not do this",
    "404": "It does not exist, or is somebody else's",
    "409": "What there is stands against it",
    "413": "The body is too large",
    "422": "The request, or a value in it, cannot be accepted",
    "429": "The key asks too often; Retry-After says when again",
    "500": "A defect, or the server's own rights",
    "503": "Database or engine are away: nothing was done; Retry-After says when again",
    "504": "The outcome is unknown: ask again under the same key",
}


def describe(app: FastAPI) -> None:
    """Let an app describe itself with what all its routes share, once they are all there.

    It is made here and not when it is asked for first: FastAPI makes two at once into none.
    """
    told = _described(app)
    app.openapi = lambda: told  # type: ignore[method-assign]  # as FastAPI asks for it


def _described(app: FastAPI) -> dict[str, Any]:
    told = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    components = told.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    components["securitySchemes"] = _SECURITY
    for path in told["paths"].values():
        for operation in path.values():
            _share(operation)
    return told


def _share(operation: dict[str, Any]) -> None:
    """Add to a route what every route has."""
    operation["responses"].pop("422", None)
    if OPEN_TAG in operation.get("tags", ()):
        return
    operation["security"] = [{name: []} for name in _SECURITY]
    schema = {"$ref": "#/components/schemas/Problem"}
    for status, description in _SHARED.items():
        content = {MEDIA_TYPE: {"schema": schema}}
        operation["responses"][status] = {"description": description, "content": content}
    made = operation["responses"].get("201")
    if made is not None:
        operation["responses"]["200"] = {**made, "description": "It had been done before"}
