// Quantities as people write them: durations, sizes, fuel.

const DURATIONS = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
const PARTS = { days: 864e5, hours: 36e5, minutes: 6e4, seconds: 1e3, milliseconds: 1 };
const SIZES = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const FUEL = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** A duration in whole milliseconds: from text such as "30s", or from its parts, `{ seconds: 30 }`. */
export function millis(duration) {
  if (typeof duration === "object" && duration !== null) return sum(duration);
  if (typeof duration === "number" || typeof duration === "bigint") {
    throw new TypeError(`a duration has a unit: write "5m" or { seconds: 5 }, not ${duration}`);
  }
  return quantity(duration, DURATIONS, "a duration is a whole number and one of ms, s, m, h, d: such as 30s");
}

function sum(parts) {
  const names = Object.keys(parts);
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined || names.length === 0) {
    throw new TypeError(`a duration is text, such as "5m", or has ${Object.keys(PARTS).join(", ")}: not ${JSON.stringify(parts)}`);
  }
  const total = Math.round(names.reduce((sofar, name) => sofar + parts[name] * PARTS[name], 0));
  if (!(total >= 0 && total <= Number.MAX_SAFE_INTEGER)) {
    throw new TypeError(`a duration is not negative, and ends: not ${JSON.stringify(parts)}`);
  }
  return total;
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
