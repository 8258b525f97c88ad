"""How an attempt ends that did not fail, if it does not just return its output."""

from dataclasses import dataclass

from ._quantity import Duration, millis


@dataclass(frozen=True)
class Snooze:
    """Return it: not yet, run the job again after this delay. It costs no attempt."""

    delay: Duration

    def __post_init__(self) -> None:
        millis(self.delay)  # What is no duration is refused where it is said.


@dataclass(frozen=True)
class Cancel:
    """Return it: the job is no longer wanted. The reason is for people."""

    reason: str
