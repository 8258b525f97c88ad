// Jobs to enqueue when this attempt completes, and the one to enqueue when those have ended.

import { set } from "flyball:worker/barrier@0.1.0";
import { add } from "flyball:worker/follow-ups@0.1.0";

import { Failure } from "./failure.js";
import { millis } from "./quantity.js";
import { whole } from "./wide.js";

/** The host did not take a follow-up. Not caught, it is a permanent failure. */
export class Refused extends Failure {
  constructor(reason, why) {
    super("permanent", `follow-up refused: ${why}`);
    this.name = "Refused";
    this.reason = reason;
  }
}

/** Asks for a job that is enqueued if, and only if, this attempt completes. */
export function followUp(kind, args, options) {
  ask(add, kind, args, options);
}

/** Sets the barrier behind the follow-ups of this attempt: this job is enqueued once, when all of them have ended. */
export function setBarrier(kind, args, options) {
  ask(set, kind, args, options);
}

function ask(word, kind, args, options = {}) {
  const job = made(kind, args, options);
  try {
    word(job);
  } catch (error) {
    const refusal = error?.payload ?? error;
    if (typeof refusal?.tag !== "string") throw error;
    throw new Refused(refusal.tag, refusal.val);
  }
}

const OPTIONS = ["queue", "priority", "delay", "uniqueKey", "uniqueActiveKey", "maxAttempts", "executorClass", "tags"];

function made(kind, args = null, options) {
  const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw new TypeError(`a follow-up has no ${unknown}; it may have ${OPTIONS.join(", ")}`);
  const text = JSON.stringify(args);
  if (text === undefined) throw new Refused("invalid", `the args of ${kind} can't be written as JSON`);
  const { queue, priority, delay, uniqueKey, uniqueActiveKey, maxAttempts, executorClass, tags } = options;
  if (!fits(priority, 32767)) throw new Refused("invalid", `a priority is 0 to 32767, not ${priority}`);
  if (!fits(maxAttempts, 2 ** 32 - 1)) throw new Refused("invalid", `attempts are a whole number, not ${maxAttempts}`);
  return {
    kind: String(kind),
    args: text,
    queue: queue ?? undefined,
    priority: priority ?? undefined,
    delayMs: whole(millis(delay)),
    uniqueKey: uniqueKey ?? undefined,
    uniqueActiveKey: uniqueActiveKey ?? undefined,
    maxAttempts: maxAttempts ?? undefined,
    executorClass: executorClass ?? undefined,
    tags: Array.from(tags ?? [], String),
  };
}

function fits(number, most) {
  return number === undefined || number === null || (Number.isInteger(number) && number >= 0 && number <= most);
}
