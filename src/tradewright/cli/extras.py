"""What commands need beyond the base install, and the addresses that some of them take."""

import importlib.util
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import click

from tradewright.core.errors import ErrorCode, StateError
from tradewright.server.address import Address

SERVING = ("fastapi", "jinja2", "prometheus_client", "uvicorn")
"""What serving over HTTP takes."""


def require_installed(what: str, *packages: str) -> None:
    """Refuse a command whose extra `[server]` is not installed.

    Raises:
        StateError: SERVER_NOT_INSTALLED.

    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise StateError(
            ErrorCode.SERVER_NOT_INSTALLED,
            f"{what} needs {' and '.join(missing)}, which are not installed",
            why="They are an extra, so that the base install stays small.",
            hint="Install them: pip install 'tradewright[server]'.",
        )


class _Listening(click.ParamType[Address]):
    """An address to listen on, as `HOST:PORT`."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the address."""
        if isinstance(value, Address):
            return value
        try:
            return Address.read(str(value))
        except ValueError:
            self.fail(f'"{value}" is not HOST:PORT, such as 127.0.0.1:9464', param, ctx)


LISTENING = _Listening()


class _Network(click.ParamType[IPv4Network | IPv6Network]):
    """An address, or a network of them such as 10.0.0.0/8."""

    name = "ADDRESS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the network."""
        try:
            return ip_network(value, strict=False)
        except ValueError:
            self.fail(f'"{value}" is no address such as 10.0.0.7 or 10.0.0.0/8', param, ctx)


NETWORK = _Network()
