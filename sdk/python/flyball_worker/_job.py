"""The attempt that a worker is asked to make."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from wit_world.imports import types as wire

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Job:
    """The attempt that a worker is asked to make; its args are the function's first argument."""

    #: The job's id, a UUID. The same over all attempts: the key that makes an outside effect happen once.
    id: str
    #: The id of this attempt, a UUID.
    run_id: str
    kind: str
    queue: str
    #: The number of this attempt, from 1. It only grows.
    attempt: int
    #: How many attempts failed and were charged to the job.
    failures: int
    max_attempts: int
    #: The job whose attempt asked for this one, if it is a follow-up.
    parent_id: str | None
    created_at: datetime
    #: When the job was due.
    scheduled_at: datetime
    #: When this attempt is stopped, at the latest.
    deadline: datetime
    tags: tuple[str, ...]
    request_id: str | None
    traceparent: str | None
    #: Whatever else was enqueued with the job.
    metadata: dict[str, Any]


def read(job: wire.Job) -> Job:
    """The job that the host speaks of."""
    return Job(
        id=job.id, run_id=job.run_id, kind=job.kind, queue=job.queue, attempt=job.attempt, failures=job.failures,
        max_attempts=job.max_attempts, parent_id=job.parent_id, created_at=_moment(job.created_at),
        scheduled_at=_moment(job.scheduled_at), deadline=_moment(job.deadline), tags=tuple(job.tags),
        request_id=job.request_id, traceparent=job.traceparent, metadata=json.loads(job.metadata),
    )


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
