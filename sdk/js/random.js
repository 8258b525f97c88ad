// Chance, new for every attempt. The engine is started when a worker is built, so its own `Math.random` would draw the
// same numbers in every attempt. This is `sfc32`, seeded with the id of the attempt. Not for secrets.

let a = 0, b = 0, c = 0, d = 1;

/** Begins anew, from a text of which no two attempts have the same. */
export function reseed(text) {
  [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162].map((seed) => hash(seed, text));
  d = 1;
  for (let n = 0; n < 16; n += 1) next();
}

function hash(seed, text) {
  return Array.from(text).reduce((sum, letter) => Math.imul(sum ^ letter.codePointAt(0), 0x01000193), seed);
}

function next() {
  const sum = (a + b + d) | 0;
  d = (d + 1) | 0;
  a = b ^ (b >>> 9);
  b = (c + (c << 3)) | 0;
  c = ((c << 21) | (c >>> 11)) + sum | 0;
  return sum >>> 0;
}

Math.random = () => (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
