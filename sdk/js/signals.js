// The small words between an attempt and its host: how far, how dear, and whether to stop.

import { add } from "flyball:worker/cost@0.1.0";
import { report } from "flyball:worker/progress@0.1.0";
import { stopping as asked } from "flyball:worker/stopping@0.1.0";

import { whole } from "./wide.js";

/** Says that `fraction` of the work (0 to 1) is done. At most one report a second is stored, the last one wins. */
export function progress(fraction, note) {
  report(fraction, note === null ? undefined : note);
}

/** Why the host wants this attempt to end, if it does: "cancel", "drain" or "deadline". */
export function stopping() {
  return asked() ?? undefined;
}

/** Adds to what this attempt cost its owner: millionths of your unit of account. */
export function cost(micros) {
  add(whole(micros));
}
