// The function that turns a function into a worker.

import { begin } from "./console.js";
import { Failure, written } from "./failure.js";
import { Cancel, Snooze } from "./outcome.js";
import { bytes, fuel, millis } from "./quantity.js";
import { reseed } from "./random.js";
import { whole } from "./wide.js";

const KEYS = ["summary", "args", "timeout", "fuel", "memory", "maxAttempts", "backoffBase", "backoffCap", "needs"];

/** Makes a function the worker of this component: `export const { describe, run } = worker({ … }, (args, job) => …)`. */
export function worker(about, work) {
  const description = read(about);
  return {
    describe() {
      return described(description);
    },
    run(job) {
      begin();
      reseed(job.runId);
      try {
        return outcome(work(parse(job.args), told(job)));
      } catch (thrown) {
        throw written(thrown);
      }
    },
  };
}

function read(about) {
  const unknown = Object.keys(about).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw new TypeError(`a worker has no ${unknown}; it may have ${KEYS.join(", ")}`);
  if (typeof about.summary !== "string") throw new TypeError("a worker has a summary: one line for people");
  const { summary, args, maxAttempts, needs } = about;
  return {
    summary,
    argsSchema: args === undefined ? undefined : JSON.stringify(args),
    defaults: {
      timeoutMs: millis(about.timeout),
      fuel: fuel(about.fuel),
      memoryBytes: bytes(about.memory),
      maxAttempts,
      backoffBaseMs: millis(about.backoffBase),
      backoffCapMs: millis(about.backoffCap),
    },
    needs: needs ?? [],
  };
}

function described({ summary, argsSchema, defaults, needs }) {
  const { timeoutMs, fuel, memoryBytes, maxAttempts, backoffBaseMs, backoffCapMs } = defaults;
  return {
    summary,
    argsSchema,
    defaults: {
      timeoutMs: whole(timeoutMs),
      fuel: whole(fuel),
      memoryBytes: whole(memoryBytes),
      maxAttempts,
      backoffBaseMs: whole(backoffBaseMs),
      backoffCapMs: whole(backoffCapMs),
    },
    needs,
  };
}

function parse(args) {
  try {
    return JSON.parse(args);
  } catch (error) {
    throw Failure.invalid(`args: ${error.message}`);
  }
}

function told(job) {
  return {
    id: job.id,
    runId: job.runId,
    kind: job.kind,
    queue: job.queue,
    attempt: job.attempt,
    failures: job.failures,
    maxAttempts: job.maxAttempts,
    parentId: job.parentId ?? undefined,
    createdAt: Number(job.createdAt),
    scheduledAt: Number(job.scheduledAt),
    deadline: Number(job.deadline),
    tags: Array.from(job.tags),
    requestId: job.requestId ?? undefined,
    traceparent: job.traceparent ?? undefined,
    metadata: JSON.parse(job.metadata),
  };
}

function outcome(returned) {
  if (returned instanceof Snooze) return { tag: "snooze", val: whole(returned.ms) };
  if (returned instanceof Cancel) return { tag: "cancel", val: returned.reason };
  if (typeof returned?.then === "function") {
    throw Failure.permanent("the worker returned a promise: an attempt is one call, write it without async");
  }
  if (returned === undefined || returned === null) return { tag: "complete", val: undefined };
  const text = JSON.stringify(returned);
  if (text === undefined) throw Failure.permanent(`the output can't be written as JSON: it is a ${typeof returned}`);
  return { tag: "complete", val: text };
}
