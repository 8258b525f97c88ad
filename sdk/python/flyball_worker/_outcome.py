"""How an attempt ends that did not fail, if it does not just return its output."""

from dataclasses import dataclass

from ._quantity import Duration


@dataclass(frozen=True)
class Snooze:
    """Return it: not yet, run the job again after this delay. It costs no attempt."""

    delay: Duration


@dataclass(frozen=True)
class Cancel:
    """Return it: the job is no longer wanted. The reason is for people."""

    reason: str
