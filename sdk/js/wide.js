// Numbers of 64 bits. Every engine takes a Number for them; some hand over a BigInt.

/** A whole number as the host reads it. */
export function whole(number) {
  if (number === undefined || number === null) return undefined;
  if (!Number.isSafeInteger(number)) throw new TypeError(`a whole number is wanted, not ${number}`);
  return number;
}
