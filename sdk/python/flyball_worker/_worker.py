"""The decorator that turns a function into a worker."""

import inspect
import json
import sys
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from componentize_py_types import Err
from wit_world.imports import types as wire

from . import _job
from ._failure import Invalid, Permanent, written
from ._outcome import Cancel, Snooze
from ._quantity import Duration, fuel as _fuel, millis, size
from ._shape import Misfit, fit, schema_of
from ._text import dumps, harmless

Run = TypeVar("Run", bound=Callable[..., Any])


def worker(
    summary: str,
    *,
    schema: dict[str, Any] | bool | None = None,
    timeout: Duration | None = None,
    fuel: str | int | None = None,
    memory: str | int | None = None,
    max_attempts: int | None = None,
    backoff_base: Duration | None = None,
    backoff_cap: Duration | None = None,
    needs: Sequence[str] = (),
) -> Callable[[Run], Run]:
    """Makes a function the worker of this component.

    The function takes the args, and the `Job` if it has a second parameter. The annotation of the first says how the
    args are read and what their schema is; without one they are plain JSON. What it returns is the output, unless it
    is a `Snooze` or a `Cancel`. What the worker wishes for its jobs counts where neither the job nor the manifest says
    otherwise. Quantities are text as in a manifest."""
    defaults = wire.Defaults(
        timeout_ms=None if timeout is None else millis(timeout),
        fuel=None if fuel is None else _fuel(fuel),
        memory_bytes=None if memory is None else size(memory),
        max_attempts=max_attempts,
        backoff_base_ms=None if backoff_base is None else millis(backoff_base),
        backoff_cap_ms=None if backoff_cap is None else millis(backoff_cap),
    )

    def install(run: Run) -> Run:
        kind, takes_job = _parameters(run)
        described = schema if schema is not None else schema_of(kind)
        description = wire.Description(harmless(summary), dumps(described), defaults, [harmless(n) for n in needs])
        module = sys.modules[run.__module__]
        if hasattr(module, "WitWorld"):
            raise TypeError(f"{run.__module__} has a worker already: a component has one")
        # componentize-py looks for a class of this name, in the module that it is pointed at.
        module.WitWorld = type("WitWorld", (), {
            "describe": lambda self: description,
            "run": lambda self, job: _attempt(run, kind, takes_job, job),
        })
        return run

    return install


def _parameters(run: Callable[..., Any]) -> tuple[Any, bool]:
    names = list(inspect.signature(run).parameters)
    if not 1 <= len(names) <= 2:
        raise TypeError(f"{run.__name__} takes the args, and the job if you like: one parameter or two")
    return typing.get_type_hints(run).get(names[0], Any), len(names) == 2


def _attempt(run: Callable[..., Any], kind: Any, takes_job: bool, job: wire.Job) -> wire.Outcome:
    # It was seeded when the component was built: every attempt would draw the same numbers.
    if random := sys.modules.get("random"):
        random.seed()
    try:
        args = _args(kind, job.args)
        return _outcome(run(args, _job.read(job)) if takes_job else run(args))
    except MemoryError as error:
        failure = written(error)
        raise Err(wire.Failure(wire.ErrorClass.RESOURCE, failure.message, failure.detail, None)) from None
    except Exception as error:
        raise Err(written(error)) from None


def _args(kind: Any, text: str) -> Any:
    try:
        return fit(kind, json.loads(text))
    except Misfit as misfit:
        raise Invalid(f"args{misfit.at()}: {misfit.why}") from None
    except ValueError as error:
        raise Invalid(f"args: {error}") from None


def _outcome(returned: Any) -> wire.Outcome:
    if isinstance(returned, Snooze):
        return wire.Outcome_Snooze(millis(returned.delay))
    if isinstance(returned, Cancel):
        return wire.Outcome_Cancel(harmless(str(returned.reason)))
    if returned is None:
        return wire.Outcome_Complete(None)
    try:
        return wire.Outcome_Complete(dumps(returned))
    except (TypeError, ValueError) as error:
        raise Permanent(f"the output can't be written as JSON: {error}") from error
