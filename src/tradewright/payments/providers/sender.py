"""How the simulated providers send their webhooks: signed, over HTTP, and as unreliably as real.

Messages wait until `deliver` sends them in an order of its own, some of them twice, each tried
again until it is taken. The same seed sends the same messages in the same order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from tradewright.core.clock import pause
from tradewright.core.ids import new_id
from tradewright.payments.webhooks.post import GONE, Endpoint, post


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How unreliable the sending is: the chance of a second delivery, and of swapping places.

    `pauses_seconds` are the waits before each further attempt; after the last the message is lost.
    """

    duplicate_chance_percent: int = 20
    is_shuffled: bool = True
    delay_ms_max: int = 0
    pauses_seconds: tuple[int, ...] = (0, 0, 1, 2)


class WebhookSender:
    """Signs and sends the messages of one provider."""

    def __init__(self, endpoint: Endpoint, name: str, manners: Manners, *, seed: int = 1) -> None:
        self._endpoint = endpoint
        self._name = name
        self._manners = manners
        self._random = Random(f"{name}/{seed}")  # noqa: S311 (a simulation)
        self._waiting: list[tuple[str, bytes]] = []
        self.lost: list[str] = []

    def send(self, fields: Mapping[str, object]) -> None:
        """Put a message in the queue."""
        body = json.dumps(fields, separators=(",", ":")).encode()
        self._waiting.append((f"{self._name}_{new_id().hex}", body))

    def deliver(self) -> int:
        """Send everything that waits; return how many deliveries were taken."""
        queue, self._waiting = self._waiting, []
        chance = self._manners.duplicate_chance_percent
        queue += [each for each in queue if self._random.randrange(100) < chance]
        if self._manners.is_shuffled:
            self._random.shuffle(queue)
        return sum(self._deliver(message_id, body) for message_id, body in queue)

    def _deliver(self, message_id: str, body: bytes) -> bool:
        pause(self._random.randint(0, self._manners.delay_ms_max) / 1000)
        for wait_seconds in (0, *self._manners.pauses_seconds):
            pause(wait_seconds)
            answer = post(self._endpoint, message_id, body)
            if answer.is_taken:
                return True
            if answer.status == GONE:
                break
        self.lost.append(message_id)
        return False
