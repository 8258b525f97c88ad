// Write Flyball workers in JavaScript: typed args, failures as exceptions, a component by `flyball-worker-build`.

export * as checkpoint from "./checkpoint.js";
export { children } from "./children.js";
export { Failure } from "./failure.js";
export { Refused, followUp, setBarrier } from "./follow-up.js";
export * as log from "./log.js";
export { cancel, snooze } from "./outcome.js";
export { cost, progress, stopping } from "./signals.js";
export { worker } from "./worker.js";
