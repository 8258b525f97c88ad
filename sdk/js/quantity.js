// Quantities as people write them: durations, sizes, fuel.

const DURATIONS = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
const SIZES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const FUEL = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** A duration in whole milliseconds: from milliseconds, or from text such as "30s". */
export function millis(duration) {
  return quantity(duration, DURATIONS, "a duration is milliseconds, or a whole number and one of ms, s, m, h, d: such as 30s");
}

/** A size in bytes: from bytes, or from text such as "64MiB". */
export function bytes(size) {
  return quantity(size, SIZES, "a size is bytes, or a whole number and one of B, KiB, MiB, GiB: such as 64MiB");
}

/** Fuel: a number, or text such as "5G". */
export function fuel(text) {
  return quantity(text, FUEL, "fuel is a whole number, with k, M, G or T if you like: such as 5G");
}

function quantity(given, units, what) {
  if (given === undefined || given === null) return undefined;
  const [, number, unit] = /^([0-9]+)([A-Za-z]*)$/.exec(given) ?? [];
  const product = typeof given === "number" ? Math.round(given) : Number(number) * (Object.hasOwn(units, unit) ? units[unit] : NaN);
  if (!(product >= 0 && product <= Number.MAX_SAFE_INTEGER)) throw new TypeError(`${what}, not ${JSON.stringify(given)}`);
  return product;
}
