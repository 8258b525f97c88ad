"""Write Flyball workers in Python: typed args, failures as exceptions, a component by componentize-py."""

from . import checkpoint, log
from ._children import Child, ChildState, children
from ._failure import Failure, Invalid, Permanent, Resource, Timeout, Transient
from ._follow_up import NotGranted, Refused, TooMany, Unfit, follow_up, set_barrier
from ._job import Job
from ._outcome import Cancel, Snooze
from ._signals import Cause, cost, progress, stopping
from ._worker import worker

__all__ = [
    "Cancel", "Cause", "Child", "ChildState", "Failure", "Invalid", "Job", "NotGranted", "Permanent",
    "Refused", "Resource", "Snooze", "Timeout", "TooMany", "Transient", "Unfit", "checkpoint", "children",
    "cost", "follow_up", "log", "progress", "set_barrier", "stopping", "worker",
]
