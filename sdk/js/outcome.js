// How an attempt ends that did not fail, if it does not just return its output.

import { millis } from "./quantity.js";

export class Snooze {
  constructor(delay) {
    this.ms = millis(delay);
  }
}

export class Cancel {
  constructor(reason) {
    this.reason = String(reason);
  }
}

/** Return it: not yet, run the job again after this delay. It costs no attempt. */
export function snooze(delay) {
  return new Snooze(delay);
}

/** Return it: the job is no longer wanted. The reason is for people. */
export function cancel(reason) {
  return new Cancel(reason);
}
