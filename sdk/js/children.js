// The jobs that a continuation continues.

import { list } from "flyball:worker/children@0.1.0";

import { Failure } from "./failure.js";

// How many are asked for at a time; the host answers fewer if they are large.
const PAGE = 100;

class Child {
  #output;

  constructor({ id, kind, state, attempts, output, errorClass, errorMessage }) {
    Object.assign(this, {
      id, kind, state, attempts, errorClass: errorClass ?? undefined, errorMessage: errorMessage ?? undefined,
    });
    this.#output = output ?? undefined;
  }

  /** What it returned; undefined if nothing. */
  output() {
    if (this.state !== "succeeded") throw Failure.permanent(`the child ${this} did not succeed`);
    return this.#output === undefined ? undefined : JSON.parse(this.#output);
  }

  toString() {
    return `${this.kind} ${this.id} (${this.state}${this.errorMessage ? `: ${this.errorMessage}` : ""})`;
  }
}

/** The follow-ups that this job continues, in the order in which they were asked for, read page by page. */
export function* children() {
  for (let offset = 0; ; ) {
    const page = list(offset, PAGE);
    if (page.length === 0) return;
    offset += page.length;
    for (const child of page) yield new Child(child);
  }
}
