"""Does what its args say, and tells what it was given: echo, in Python. The order is that of `run`."""

import os
import random
import secrets
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

from flyball_worker import (
    Cancel, Cause, Child, ChildState, Invalid, Job, Permanent, Refused, Resource, Snooze, Timeout, Transient,
    checkpoint, children, cost, follow_up, log, progress, set_barrier, stopping, worker,
)

CLASSES = {"transient": Transient, "permanent": Permanent, "validation": Invalid, "timeout": Timeout, "resource": Resource}


@worker(
    "Does what its args say, and tells what it was given",
    schema={"properties": {"snooze_ms": {"type": ["integer", "null"], "minimum": 0}}},
    timeout="60s", fuel="20G", memory="128MiB", max_attempts=25, backoff_base="1s", backoff_cap="1m",
    needs=["enqueue:report"],
)
def run(args: Any, job: Job) -> Any:
    orders = args if isinstance(args, dict) else {}
    speak(orders, job)
    counted = count_on() if orders.get("count_on") else None
    stopped = pass_time(orders)
    if orders.get("draw"):
        return [str(random.random()), str(random.getrandbits(64)), str(uuid.uuid4()), secrets.token_hex(8), os.urandom(8).hex()]
    refusals = ask(orders)
    family = [told_of(child) for child in children()] if orders.get("children") else None
    if message := orders.get("panic"):
        raise RuntimeError(message)
    wrong = orders.get("fail")
    if wrong and job.failures < wrong.get("times", sys.maxsize):
        raise failure(wrong)
    if (delay := orders.get("snooze")) is not None:
        return Snooze(delay)
    if (delay := orders.get("snooze_ms")) is not None:
        return Snooze(timedelta(milliseconds=delay))
    if reason := orders.get("cancel"):
        return Cancel(reason)
    echo = {"args": args, "job": told(job), "stopped": stopped and stopped.value, "refusals": refusals,
            "counted": counted, "children": family}
    return orders.get("output", echo)


def speak(orders: dict[str, Any], job: Job) -> None:
    if text := orders.get("log"):
        log.info(text, attempt=job.attempt, length=len(text))
    if text := orders.get("stdout"):
        print(text)
    if text := orders.get("stderr"):
        print(text, file=sys.stderr)
    if (fraction := orders.get("progress")) is not None:
        progress(fraction, "echo")
    if (micros := orders.get("cost")) is not None:
        cost(micros)


def pass_time(orders: dict[str, Any]) -> Cause | None:
    time.sleep(orders.get("sleep_ms", 0) / 1000)
    while orders.get("until_stopped") and stopping() is None:
        time.sleep(0.005)
    return stopping()


def ask(orders: dict[str, Any]) -> list[str]:
    refusals = []
    for wanted in orders.get("follow_ups", []):
        wanted = dict(wanted)
        for _ in range(wanted.pop("times", 1)):
            try:
                follow_up(**options(wanted))
            except Refused as refusal:
                if not orders.get("despite_refusals"):
                    raise
                refusals.append(str(refusal))
    if wanted := orders.get("barrier"):
        set_barrier(**options(wanted))
    return refusals


def options(wanted: dict[str, Any]) -> dict[str, Any]:
    given = dict(wanted)
    if (delay := given.pop("delay_ms", None)) is not None:
        given["delay"] = timedelta(milliseconds=delay)
    return given


def count_on() -> int:
    counted = checkpoint.load(int) or 0
    checkpoint.save(counted + 1)
    return counted


def told_of(child: Child) -> dict[str, Any]:
    output = child.output() if child.state is ChildState.SUCCEEDED else None
    return {"id": child.id, "kind": child.kind, "state": child.state.value, "attempts": child.attempts,
            "output": output, "error": child.error_message}


def failure(wrong: dict[str, Any]) -> Exception:
    delay = wrong.get("retry_after")
    if (millis := wrong.get("retry_after_ms")) is not None:
        delay = timedelta(milliseconds=millis)
    return CLASSES[wrong.get("class", "transient")](
        wrong.get("message", ""), detail=wrong.get("detail"),
        retry_after=delay)


def told(job: Job) -> dict[str, Any]:
    told = {**job.__dict__, "tags": list(job.tags)}
    epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
    for name in ("created_at", "scheduled_at", "deadline"):
        told[name] = (told[name] - epoch) // timedelta(microseconds=1)
    return told
