// Why an attempt failed, and what that means for the job.

import { millis } from "./quantity.js";
import { whole } from "./wide.js";

const CLASSES = ["transient", "permanent", "validation", "timeout", "resource"];

/** A failed attempt. Throw it; anything else that is thrown counts as transient. */
export class Failure extends Error {
  constructor(errorClass, message, { detail, retryAfter, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    if (!CLASSES.includes(errorClass)) throw new TypeError(`there is no error class ${errorClass}`);
    this.name = "Failure";
    this.errorClass = errorClass;
    this.detail = detail;
    this.retryAfterMs = millis(retryAfter);
  }

  static transient(message, options) {
    return new Failure("transient", message, options);
  }

  static permanent(message, options) {
    return new Failure("permanent", message, options);
  }

  static invalid(message, options) {
    return new Failure("validation", message, options);
  }

  static timeout(message, options) {
    return new Failure("timeout", message, options);
  }

  static resource(message, options) {
    return new Failure("resource", message, options);
  }
}

/** Whatever was thrown, as the host reads it. */
export function written(thrown) {
  if (thrown instanceof Failure) {
    const detail = thrown.detail ?? (thrown.cause === undefined ? undefined : traced(thrown.cause));
    return {
      class: thrown.errorClass,
      message: thrown.message,
      detail: detail === undefined ? undefined : String(detail),
      retryAfterMs: whole(thrown.retryAfterMs),
    };
  }
  return { class: "transient", message: String(thrown), detail: traced(thrown), retryAfterMs: undefined };
}

function traced(thrown) {
  return thrown instanceof Error ? `${thrown}\n${thrown.stack ?? ""}` : undefined;
}
