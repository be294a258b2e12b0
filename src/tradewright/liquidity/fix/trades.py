"""A provider's list of a day's trades over FIX: asked for, counted, and whole or not there.

TradeCaptureReportRequest (35=AD) is answered with an acknowledgement (AQ) that says how many
reports (AE) there are. A list of which a report is missing is no list.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from tradewright.liquidity.fix.application import read_decimal
from tradewright.liquidity.fix.codec import Message
from tradewright.liquidity.fix.instants import read_time
from tradewright.liquidity.model import Side
from tradewright.liquidity.reconciliation.model import TradeLine

REQUEST, REPORT, ACKNOWLEDGEMENT = "AD", "AE", "AQ"

_SIDES = {"1": Side.BUY, "2": Side.SELL}


def trades_request(name: str, day: date) -> Message:
    """Return the request for all trades of a UTC day."""
    fields = ((568, name), (569, "0"), (263, "0"), (580, "1"), (75, f"{day:%Y%m%d}"))
    return Message(REQUEST, fields)


def trade_reports(name: str, lines: Sequence[TradeLine]) -> list[Message]:
    """Return the acknowledgement and a report for each trade, as a provider sends them."""
    count = str(len(lines))
    acknowledged = Message(
        ACKNOWLEDGEMENT, ((568, name), (569, "0"), (748, count), (749, "0"), (750, "0"))
    )
    return [acknowledged, *(_report(name, line) for line in lines)]


@dataclass(slots=True)
class TradeList:
    """What has arrived of a list that was asked for under a name."""

    name: str
    count: int | None = None
    refusal: str | None = None
    lines: dict[str, TradeLine] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Return whether every report has arrived that was announced."""
        return self.count is not None and len(self.lines) >= self.count

    def take(self, message: Message) -> None:
        """Take an acknowledgement or a report; those of other lists are passed over.

        Raises:
            ValueError: a field is missing or cannot be read.

        """
        if message.get(568) != self.name:
            return
        if message.kind == REPORT:
            line = _line(message)
            self.lines[message.text(571)] = line
        elif message.text(750) == "2" or message.text(749) != "0":
            self.refusal = message.get(58) or f"TradeRequestResult (749) is {message.text(749)}"
        else:
            self.count = message.number(748)
            if self.count is None:
                raise ValueError(f"TotNumTradeReports (748) is {message.text(748)!r}")


def _report(name: str, line: TradeLine) -> Message:
    side = "1" if line.side is Side.BUY else "2"
    executed_at = line.executed_at.strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
    return Message(
        REPORT,
        (
            *((571, f"T-{line.execution_id}"), (568, name), (570, "N"), (17, line.execution_id)),
            *((55, line.symbol), (32, f"{line.quantity}"), (31, f"{line.price}")),
            *((75, f"{line.executed_at:%Y%m%d}"), (60, executed_at), (552, "1"), (54, side)),
            *((37, f"O-{line.request_id}"), (11, line.request_id)),
        ),
    )


def _line(message: Message) -> TradeLine:
    try:
        return TradeLine(
            execution_id=message.text(17),
            request_id=message.text(11),
            symbol=message.text(55),
            side=_SIDES[message.text(54)],
            quantity=read_decimal(message, 32),
            price=read_decimal(message, 31),
            executed_at=read_time(message.text(60)),
        )
    except (ValueError, KeyError) as error:
        raise ValueError(f"a trade report cannot be read: {error}") from None
