"""Where something listens: a host and a port."""

from dataclasses import dataclass
from typing import Self

PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host (a name or a number, IPv6 without brackets) and a port; port 0 is a free one."""

    host: str
    port: int

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `HOST:PORT` or `[IPV6]:PORT`.

        Raises:
            ValueError: it is something else.

        """
        host, colon, port = text.rpartition(":")
        is_bracketed = host.startswith("[") and host.endswith("]")
        plain = host[1:-1] if is_bracketed else host
        is_port = port.isascii() and port.isdecimal() and int(port) <= PORT_MAX
        if not (colon and plain and is_port) or (":" in plain) != is_bracketed or "[" in plain:
            raise ValueError(text)
        return cls(plain, int(port))

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"
