// Says by which steps one JSON document becomes another: a patch as RFC 6902 has it.

import { Failure, progress, worker } from "flyball-worker";

const MOST_STEPS = 10_000;

const about = {
  summary: "Says by which steps one JSON document becomes another",
  args: { type: "object", required: ["from", "to"], properties: { from: {}, to: {} } },
  timeout: "30s",
  maxAttempts: 3,
};

export const { describe, run } = worker(about, ({ from, to }) => {
  const steps = [];
  compare("", from, to, steps);
  progress(1, `${steps.length} steps`);
  return steps;
});

function compare(path, from, to, steps) {
  if (Object.is(from, to)) return;
  if (Array.isArray(from) && Array.isArray(to)) return compareLists(path, from, to, steps);
  if (isObject(from) && isObject(to)) return compareObjects(path, from, to, steps);
  if (JSON.stringify(from) !== JSON.stringify(to)) step(steps, { op: "replace", path, value: to });
}

function compareObjects(path, from, to, steps) {
  for (const key of Object.keys(from)) {
    if (!Object.hasOwn(to, key)) step(steps, { op: "remove", path: below(path, key) });
  }
  for (const [key, value] of Object.entries(to)) {
    if (Object.hasOwn(from, key)) compare(below(path, key), from[key], value, steps);
    else step(steps, { op: "add", path: below(path, key), value });
  }
}

function compareLists(path, from, to, steps) {
  const both = Math.min(from.length, to.length);
  for (let at = 0; at < both; at += 1) compare(below(path, at), from[at], to[at], steps);
  // From the end, so that the places before it stay what they are.
  for (let at = from.length - 1; at >= both; at -= 1) step(steps, { op: "remove", path: below(path, at) });
  for (let at = both; at < to.length; at += 1) step(steps, { op: "add", path: below(path, at), value: to[at] });
}

function step(steps, one) {
  if (steps.length === MOST_STEPS) throw Failure.resource(`the documents differ in more than ${MOST_STEPS} places`);
  steps.push(one);
}

function below(path, key) {
  return `${path}/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}

function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
