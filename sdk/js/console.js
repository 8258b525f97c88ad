// `console` for engines that have none: what is said there becomes log lines.

import * as log from "./log.js";

function at(write) {
  return (...said) => write(said.map(text).join(" "));
}

function text(value) {
  if (value instanceof Error) return `${value}\n${value.stack ?? ""}`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) ?? String(value) : String(value);
}

globalThis.console ??= {
  trace: at(log.trace),
  debug: at(log.debug),
  log: at(log.info),
  info: at(log.info),
  warn: at(log.warn),
  error: at(log.error),
};
