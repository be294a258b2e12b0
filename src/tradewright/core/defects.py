"""What is told of an exception that nobody foresaw: what it was, and where in our own code."""

from typing import TYPE_CHECKING

from tradewright.core.errors import ErrorCode, InternalError

if TYPE_CHECKING:
    from types import TracebackType

FRAMES_MAX = 4
"""Of our own frames the innermost tell what was done, and those around them for whom."""

_PACKAGE = "tradewright/"


def defect(failed: str, error: BaseException, *, why: str, hint: str) -> InternalError:
    """Return what is told when `failed` (a clause without a full stop) because of an exception."""
    place = raised_at(error)
    return InternalError(
        ErrorCode.INTERNAL_DEFECT,
        f"{failed}: {type(error).__name__}: {error}",
        why=f"{why} It was raised at {place}.",
        hint=hint,
        facts={"raised_at": place},
    )


def raised_at(error: BaseException) -> str:
    """Return file, line and function of our own innermost frames, the innermost first."""
    frames: list[str] = []
    step: TracebackType | None = error.__traceback__
    while step is not None:
        code = step.tb_frame.f_code
        _, package, file = code.co_filename.rpartition(_PACKAGE)
        if package:
            frames.append(f"{file}:{step.tb_lineno} {code.co_name}")
        step = step.tb_next
    return " < ".join(frames[: -FRAMES_MAX - 1 : -1]) or "no frame of ours"
