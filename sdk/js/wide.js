// Numbers of 64 bits. Some engines want BigInt for them, others Number: the job shows which this one is.

let wide = Number;

/** Learns from a number that came from the host. */
export function learn(number) {
  wide = typeof number === "bigint" ? BigInt : Number;
}

/** A whole number as this engine hands it to the host. */
export function whole(number) {
  return number === undefined || number === null ? undefined : wide(number);
}
