// `console`, the same in every engine: what is said there becomes log lines, at the level of its name.

import * as log from "./log.js";

// What the engine has itself, if it has one: for what is said while the worker is built, when there is no log yet.
const own = globalThis.console ?? {};
let begun = false;

/** From now on there is a log. */
export function begin() {
  begun = true;
}

function at(name, write) {
  return (...said) => (begun ? write(said.map(text).join(" ")) : own[name]?.(...said));
}

function text(value) {
  if (value instanceof Error) return `${value}\n${value.stack ?? ""}`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) ?? String(value) : String(value);
}

globalThis.console = Object.assign(Object.create(own), {
  trace: at("trace", log.trace),
  debug: at("debug", log.debug),
  log: at("log", log.info),
  info: at("info", log.info),
  warn: at("warn", log.warn),
  error: at("error", log.error),
});
