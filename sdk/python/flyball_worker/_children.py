"""The jobs that a continuation continues."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar, overload

from wit_world.imports import children as _wire

from ._failure import Permanent
from ._shape import Misfit, fit

T = TypeVar("T")

# How many are asked for at a time; the host answers fewer if they are large.
_PAGE = 100


class ChildState(Enum):
    """Where a child stands."""

    SUCCEEDED = "succeeded"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"
    #: Somebody had it tried again after the barrier, and it has not ended since.
    UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Child:
    """A job that has ended, and what it came to."""

    id: str
    kind: str
    state: ChildState
    attempts: int
    #: The class of what its last attempt failed of, if it failed: "transient", "permanent", …
    error_class: str | None
    error_message: str | None
    _output: str | None

    @overload
    def output(self) -> Any: ...
    @overload
    def output(self, as_type: type[T]) -> T: ...
    def output(self, as_type: Any = Any) -> Any:
        """What it returned; `None` if nothing. `Permanent` if it did not succeed, or returned something else."""
        if self.state is not ChildState.SUCCEEDED:
            raise Permanent(f"the child {self} did not succeed")
        try:
            return fit(as_type, None if self._output is None else json.loads(self._output))
        except Misfit as error:
            raise Permanent(f"the output of the {self.kind} {self.id}{error.at()}: {error.why}") from error

    def __str__(self) -> str:
        why = f": {self.error_message}" if self.error_message else ""
        return f"{self.kind} {self.id} ({self.state.value}{why})"


def children() -> Iterator[Child]:
    """The follow-ups that this job continues, in the order in which they were asked for, read page by page. For a job
    that is no continuation there are none."""
    offset = 0
    while page := _wire.list(offset, _PAGE):
        offset += len(page)
        for child in page:
            error_class = None if child.error_class is None else child.error_class.name.lower()
            yield Child(child.id, child.kind, ChildState[child.state.name], child.attempts, error_class,
                        child.error_message, child.output)
