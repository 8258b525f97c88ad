"""The small words between an attempt and its host: how far, how dear, and whether to stop."""

from enum import Enum

from wit_world.imports import cost as _cost
from wit_world.imports import progress as _progress
from wit_world.imports import stopping as _stopping

from ._text import harmless


class Cause(Enum):
    """Why an attempt is asked to stop."""

    CANCEL = "cancel"
    DRAIN = "drain"
    DEADLINE = "deadline"


def progress(fraction: float, note: str | None = None) -> None:
    """Says that `fraction` of the work (0 to 1) is done. At most one report a second is stored, the last one wins."""
    _progress.report(float(fraction), None if note is None else harmless(note))


def stopping() -> Cause | None:
    """Why the host wants this attempt to end, if it does. Return soon then: a short grace is left."""
    cause = _stopping.stopping()
    return None if cause is None else Cause[cause.name]


def cost(micros: int) -> None:
    """Adds to what this attempt cost its owner: millionths of your unit of account."""
    _cost.add(micros)
