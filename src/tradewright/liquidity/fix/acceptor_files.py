"""The simulated provider's own memory: its session and its deals, a line of JSON for each fact.

Each line is flushed before anything that follows from it is said. A line that was cut off by the
end of the process says nothing, and is passed over.
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from tradewright.liquidity.fix.actions import Keep, Reset, Send
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import read_time
from tradewright.liquidity.model import Side
from tradewright.liquidity.reconciliation.model import TradeLine


class FileStore:
    """A session's numbers and sent messages in a file; keeps `line.Store`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next_in = self._next_out = 1
        self._sent: dict[int, Message] = {}
        self.executions: set[str] = set()
        """The ids of the executions that have been told and could be told again."""
        for fact in _read(path):
            self._learn(fact)

    def numbers(self) -> tuple[int, int]:
        """Return the number expected next, and the number to be sent next."""
        return self._next_in, self._next_out

    def write(self, actions: Sequence[Keep | Send | Reset]) -> None:
        """Keep what was received and what is about to be sent."""
        facts = [_fact(action) for action in actions]
        _append(self._path, facts)
        for fact in facts:
            self._learn(fact)

    def sent(self, begin: int, end: int) -> dict[int, Message]:
        """Return what was sent under some numbers."""
        return {seq: each for seq, each in self._sent.items() if begin <= seq <= end}

    def _learn(self, fact: Any) -> None:
        if "in" in fact:
            self._next_in = fact["in"]
        elif "out" in fact:
            self._next_out = fact["out"] + 1
            self._sent[fact["out"]] = message = _message(fact)
            self.executions.add(message.text(17))
        else:
            self._next_in = self._next_out = 1
            self._sent = {}
            self.executions = set()


class Deals:
    """What was dealt on each request, as the reports that tell it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.reports: dict[str, list[Message]] = {
            fact["id"]: [_message(report) for report in fact["reports"]] for fact in _read(path)
        }

    def keep(self, request_id: str, reports: list[Message]) -> None:
        """Keep what was dealt, before anybody is told."""
        told = [{"kind": each.kind, "fields": list(each.fields)} for each in reports]
        _append(self._path, [{"id": request_id, "reports": told}])
        self.reports[request_id] = reports

    def correct(self, execution_id: str, price: Decimal | None) -> Message | None:
        """Keep that an execution is busted, or has another price; return what tells it."""
        for request_id, reports in self.reports.items():
            for place, each in enumerate(reports):
                if each.text(17) == execution_id:
                    told = _corrected(each, price)
                    self.keep(request_id, [*reports[:place], told, *reports[place + 1 :]])
                    return told
        return None

    def trades(self) -> list[TradeLine]:
        """Return every execution."""
        return [
            TradeLine(
                execution_id=each.text(17),
                request_id=each.text(11),
                symbol=each.text(55),
                side=Side.BUY if each.text(54) == "1" else Side.SELL,
                quantity=Decimal(each.text(32)),
                price=Decimal(each.text(31)),
                executed_at=read_time(each.text(60)),
            )
            for reports in list(self.reports.values())
            for each in reports
            if each.text(150) in ("F", "G")
        ]


def _corrected(report: Message, price: Decimal | None) -> Message:
    """Return the bust of an execution, or its correction, which has an ExecID of its own."""
    kind = "H" if price is None else "G"
    fields = dict(report.fields) | {150: kind, 19: report.text(17), 17: f"{report.text(17)}-{kind}"}
    if price is not None:
        fields[31] = f"{price}"
    return Message(report.kind, tuple(fields.items()))


def _fact(action: Keep | Send | Reset) -> dict[str, object]:
    if isinstance(action, Keep):
        return {"in": action.next_in}
    if isinstance(action, Send):
        message = action.message
        return {"out": action.seq, "kind": message.kind, "fields": list(message.fields)}
    return {"reset": True}


def _message(fact: Any) -> Message:
    return Message(fact["kind"], tuple((tag, value) for tag, value in fact["fields"]))


def _append(path: Path, facts: Sequence[object]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(fact) + "\n" for fact in facts))


def _read(path: Path) -> Iterator[Any]:
    if not path.exists():
        return
    if not path.read_bytes().endswith(b"\n"):
        _append(path, [None])  # ends a line that was cut off, so that the next is one of its own
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            fact = json.loads(line)
        except ValueError:
            continue
        if isinstance(fact, dict):
            yield fact
