// Log lines of this attempt, kept with its run: `log.info("counted", { words: 12 })`.

import { write } from "flyball:worker/log@0.1.0";

function at(level) {
  return (message, fields = {}) =>
    write(level, String(message), Object.entries(fields).map(([name, value]) => [name, said(value)]));
}

function said(value) {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

export const trace = at("trace");
export const debug = at("debug");
export const info = at("info");
export const warn = at("warn");
export const error = at("error");
