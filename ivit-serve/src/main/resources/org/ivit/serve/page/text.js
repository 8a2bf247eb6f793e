const WHOLE = new Intl.NumberFormat('en');

/** A whole number with its thousands apart. */
export function whole(number) {
  return WHOLE.format(number);
}

/** A probability from 0 to 1 in percent. */
export function percent(probability) {
  return `${(100 * probability).toFixed(1)} %`;
}

export function milliseconds(ms) {
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** A number of bytes in units of a thousand. */
export function size(bytes) {
  if (bytes < 1e3) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
