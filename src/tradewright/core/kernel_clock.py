"""What the kernel knows of this machine's clock: how far it may be from UTC.

Asked by adjtimex(2) without changing anything. Whoever disciplines the clock (NTP, PTP) tells the
kernel the offset that is left, the largest error and its estimate; where nobody does, the kernel
says so. Where the question itself is refused, as in some containers, nothing is known.
"""

import ctypes
import os
from dataclasses import dataclass
from decimal import Decimal

_STA_UNSYNC = 0x0040
_STA_NANO = 0x2000
_TIME_ERROR = 5
_NANOSECONDS = Decimal(1000)


@dataclass(frozen=True, slots=True)
class KernelClock:
    """What the kernel says, in microseconds: offset from UTC, error at most and as estimated."""

    is_synchronised: bool
    offset_us: Decimal
    error_us_max: Decimal
    error_us_estimated: Decimal


@dataclass(frozen=True, slots=True)
class NoKernelClock:
    """Why the kernel says nothing."""

    reason: str


class _Timex(ctypes.Structure):
    """The struct timex of Linux; what is not read here stands in the tail."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("tail", ctypes.c_char * 256),
    )


def read_kernel_clock() -> KernelClock | NoKernelClock:
    """Ask the kernel; the clock is left as it is."""
    try:
        ask = ctypes.CDLL(None, use_errno=True).adjtimex
    except (AttributeError, OSError) as error:
        return NoKernelClock(f"adjtimex is not there: {error}")
    told = _Timex(modes=0)
    state = ask(ctypes.byref(told))
    if state < 0:
        return NoKernelClock(f"adjtimex was refused: {os.strerror(ctypes.get_errno())}")
    return clock_of(state, told.status, (told.offset, told.maxerror, told.esterror))


def clock_of(state: int, status: int, told: tuple[int, int, int]) -> KernelClock:
    """Lay out what adjtimex has answered: its state, status bits, and offset, bound and estimate.

    The offset is in nanoseconds where STA_NANO says so, else in microseconds as the errors are.
    """
    offset, error_max, error_estimated = told
    unit = _NANOSECONDS if status & _STA_NANO else Decimal(1)
    return KernelClock(
        is_synchronised=state != _TIME_ERROR and not status & _STA_UNSYNC,
        offset_us=offset / unit,
        error_us_max=Decimal(error_max),
        error_us_estimated=Decimal(error_estimated),
    )
