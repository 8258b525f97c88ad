"""Jobs to enqueue when this attempt completes, and the one to enqueue when those have ended."""

from collections.abc import Iterable

from componentize_py_types import Err
from wit_world.imports import barrier as _barrier
from wit_world.imports import follow_ups as _wire

from ._failure import Permanent
from ._quantity import Duration, millis
from ._text import dumps, harmless


class Refused(Permanent):
    """The host did not take a follow-up. Not caught, it is a permanent failure."""


class NotGranted(Refused):
    """The manifest grants no such kind, queue, class or priority."""


class TooMany(Refused):
    """This attempt, this chain of jobs or this family has reached its limit."""


class Unfit(Refused):
    """The follow-up is none: a bad name, args too large."""


def follow_up(
    kind: str,
    args: object = None,
    *,
    queue: str | None = None,
    priority: int | None = None,
    delay: Duration | None = None,
    unique_key: str | None = None,
    unique_active_key: str | None = None,
    max_attempts: int | None = None,
    executor_class: str | None = None,
    tags: Iterable[str] = (),
) -> None:
    """Asks for a job that is enqueued if, and only if, this attempt completes. Raises `Refused`.

    `args` is anything that JSON can say. `priority`: lower runs first, 100 is usual. `unique_key`: nothing is
    enqueued if any job with this key is still on record; `unique_active_key`: if an unfinished one has it."""
    _ask(_wire.add, _made(kind, args, queue, priority, delay, unique_key, unique_active_key, max_attempts,
                          executor_class, tags))


def set_barrier(
    kind: str,
    args: object = None,
    *,
    queue: str | None = None,
    priority: int | None = None,
    delay: Duration | None = None,
    unique_key: str | None = None,
    unique_active_key: str | None = None,
    max_attempts: int | None = None,
    executor_class: str | None = None,
    tags: Iterable[str] = (),
) -> None:
    """Sets the barrier behind the follow-ups of this attempt: this job, the continuation, is enqueued once, when
    every one of them has ended, whatever it came to. In it, `children()` are those follow-ups. Set again, the last
    one counts. Raises `Refused`."""
    _ask(_barrier.set, _made(kind, args, queue, priority, delay, unique_key, unique_active_key, max_attempts,
                             executor_class, tags))


def _made(kind, args, queue, priority, delay, unique_key, unique_active_key, max_attempts, executor_class, tags):
    if priority is not None and not 0 <= priority <= 32767:
        raise Unfit(f"follow-up refused: a priority is 0 to 32767, not {priority}")
    try:
        args = dumps(args)
    except (TypeError, ValueError) as error:
        raise Unfit(f"the args of the follow-up {kind} can't be written as JSON: {error}") from error
    said = [None if text is None else harmless(text) for text in (queue, unique_key, unique_active_key, executor_class)]
    return _wire.FollowUp(
        kind=harmless(kind), args=args, queue=said[0], priority=priority,
        delay_ms=None if delay is None else millis(delay), unique_key=said[1], unique_active_key=said[2],
        max_attempts=max_attempts, executor_class=said[3], tags=[harmless(tag) for tag in tags],
    )


def _ask(ask, job: _wire.FollowUp) -> None:
    try:
        ask(job)
    except Err as error:
        refusal = error.value
        kinds = {_wire.Refusal_NotGranted: NotGranted, _wire.Refusal_TooMany: TooMany, _wire.Refusal_Invalid: Unfit}
        raise kinds[type(refusal)](f"follow-up refused: {refusal.value}") from None
