"""Show figures to Prometheus: as text once, or at an address for as long as it is wanted."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.registry import Collector

from tradewright.core.errors import ErrorCode, StateError
from tradewright.server.address import Address


def shown(collector: Collector) -> str:
    """Return what a collector shows, in Prometheus' text format."""
    return generate_latest(_registry(collector)).decode()


@contextmanager
def exposed(collector: Collector, place: Address) -> Iterator[Address]:
    """Answer who asks at `place`, until the block ends; the block is told the address.

    Raises:
        StateError: SERVER_ADDRESS_UNUSABLE.

    """
    try:
        server, thread = start_http_server(place.port, place.host, _registry(collector))
    except OSError as error:
        raise StateError(
            ErrorCode.SERVER_ADDRESS_UNUSABLE,
            f"the address {place} cannot be listened on",
            why=f"The system says: {error.strerror or error}.",
            hint="Choose another address; port 0 is a free one.",
            facts={"host": place.host, "port": place.port},
        ) from None
    try:
        yield Address(place.host, server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _registry(collector: Collector) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry
