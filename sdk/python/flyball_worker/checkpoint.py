"""What one attempt leaves for the next: up to 1 MiB that outlives a failure, a snooze, a crash and a move to
another node. It goes when the job succeeds.

Save as often as you like: the last one wins. It is stored at most once a second, and with the end of the attempt."""

import json
from typing import Any, TypeVar, overload

from componentize_py_types import Err
from wit_world.imports import checkpoint as _wire

from ._failure import Permanent
from ._shape import Misfit, fit
from ._text import dumps

T = TypeVar("T")


@overload
def load() -> Any: ...
@overload
def load(as_type: type[T]) -> T | None: ...
def load(as_type: Any = Any) -> Any:
    """What was saved last, in this attempt or in one before; `None` if nothing was. `Permanent` if it is something
    else, perhaps saved by an earlier version of the worker."""
    data = _wire.load()
    if data is None:
        return None
    try:
        return fit(as_type, json.loads(data))
    except Misfit as error:
        raise Permanent(f"the checkpoint{error.at()}: {error.why}") from error
    except ValueError as error:
        raise Permanent(f"the checkpoint is no JSON: {error}") from error


def save(state: object) -> None:
    """Takes the place of what was saved before. `Permanent` if JSON cannot say it, or it is more than 1 MiB."""
    try:
        data = dumps(state).encode("utf-8")
    except (TypeError, ValueError) as error:
        raise Permanent(f"the checkpoint can't be written as JSON: {error}") from error
    save_bytes(data)


def load_bytes() -> bytes | None:
    """As `load`, whatever the bytes are."""
    return _wire.load()


def save_bytes(data: bytes) -> None:
    """As `save`, whatever the bytes are."""
    try:
        _wire.save(bytes(data))
    except Err as refused:
        raise Permanent(refused.value) from None
