// What one attempt leaves for the next: up to 1 MiB that outlives a failure, a snooze, a crash and a move to another
// node. It goes when the job succeeds.

import { load as read, save as write } from "flyball:worker/checkpoint@0.1.0";

import { Failure } from "./failure.js";
import { decode, encode } from "./utf8.js";

/** What was saved last, in this attempt or in one before; undefined if nothing was. */
export function load() {
  const saved = loadBytes();
  if (saved === undefined) return undefined;
  try {
    return JSON.parse(decode(saved));
  } catch (error) {
    throw Failure.permanent(`the checkpoint is no JSON: ${error.message}`);
  }
}

/** Takes the place of what was saved before. */
export function save(state) {
  const text = JSON.stringify(state);
  if (text === undefined) throw Failure.permanent("the checkpoint can't be written as JSON");
  saveBytes(encode(text));
}

/** As `load`, whatever the bytes are. */
export function loadBytes() {
  const saved = read();
  return saved === undefined || saved === null ? undefined : Uint8Array.from(saved);
}

/** As `save`, whatever the bytes are. */
export function saveBytes(bytes) {
  try {
    write(Uint8Array.from(bytes));
  } catch (error) {
    throw Failure.permanent(String(error?.payload ?? error));
  }
}
