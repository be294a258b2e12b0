"""What is asked over HTTP and how soon it is answered, for Prometheus.

Plain ASGI around everything else, so that refusals of the guards are counted too. A route is named
by its pattern and a method only if it is one that the house knows: nobody can make new labels.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tradewright.core.clock import monotonic_seconds

BOUNDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
OTHER = "other"
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


class HttpFigures:
    """Counts answers of one server; `registry` is what is shown."""

    def __init__(self, streams: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter(
            "tradewright_http_answers",
            "Answers that were begun.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tradewright_http_answer_seconds",
            "How long it took until an answer was begun.",
            ("method", "route"),
            buckets=BOUNDS,
            registry=self.registry,
        )
        running = Gauge("tradewright_http_streams", "Streams that run.", registry=self.registry)
        running.set_function(streams)

    def note(self, scope: Scope, status: int, seconds: float) -> None:
        """Count an answer that was begun with `status` after so many seconds."""
        method = scope["method"] if scope["method"] in _METHODS else OTHER
        route = getattr(scope.get("route"), "path", OTHER)
        self._answers.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)


class Measured:
    """An app whose answers are counted."""

    def __init__(self, app: ASGIApp, figures: HttpFigures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and note when its answer begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked_at = monotonic_seconds()

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._figures.note(scope, message["status"], monotonic_seconds() - asked_at)
            await send(message)

        await self._app(scope, receive, told)
