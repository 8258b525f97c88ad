"""Why an attempt failed, and what that means for the job."""

import traceback

from wit_world.imports import types as wire

from ._quantity import Duration, millis
from ._text import harmless


class Failure(Exception):
    """A failed attempt. Raise one of its kinds; any other exception counts as `Transient`.

    `detail` is more of it: causes, a response body. `retry_after` is when to try again; without it the kind's
    backoff decides."""

    error_class = wire.ErrorClass.TRANSIENT

    def __init__(self, message: object, *, detail: object = None, retry_after: Duration | None = None) -> None:
        super().__init__(str(message))
        self.detail = None if detail is None else str(detail)
        self.retry_after_ms = None if retry_after is None else millis(retry_after)


class Transient(Failure):
    """It may work next time: tried again after a delay, until the attempts are spent."""


class Permanent(Failure):
    """It will never work: the job is discarded."""

    error_class = wire.ErrorClass.PERMANENT


class Invalid(Failure):
    """The args are wrong (the class `validation`): the job is discarded."""

    error_class = wire.ErrorClass.VALIDATION


class Timeout(Failure):
    """Something took too long: tried again."""

    error_class = wire.ErrorClass.TIMEOUT


class Resource(Failure):
    """It takes more than the job may use: the job is discarded."""

    error_class = wire.ErrorClass.RESOURCE


def written(error: Exception) -> wire.Failure:
    """An exception as the host reads it."""
    if isinstance(error, Failure):
        message, detail, retry_after = str(error), error.detail, error.retry_after_ms
        if detail is None and error.__cause__ is not None:
            detail = _trace(error.__cause__)
        return wire.Failure(error.error_class, harmless(message), detail and harmless(detail), retry_after)
    name, said = type(error).__name__, str(error)
    message = f"{name}: {said}" if said else name
    return wire.Failure(wire.ErrorClass.TRANSIENT, harmless(message), harmless(_trace(error)), None)


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
