// Numbers for people: engineering prefixes, lengths, counts.

const PREFIXES = new Map([[-15, "f"], [-12, "p"], [-9, "n"], [-6, "µ"], [-3, "m"], [0, ""], [3, "k"], [6, "M"], [9, "G"], [12, "T"]]);

/** `engineering(14925.4, "Ω")` is `14.9 kΩ`: three significant digits, the nearest prefix of a thousand. */
export function engineering(value, unit, digits = 3) {
  if (value === 0 || !Number.isFinite(value)) return `${value} ${unit}`.trim();
  const place = (number) => Math.max(-15, Math.min(12, 3 * Math.floor(Math.log10(Math.abs(number)) / 3)));
  let exponent = place(value);
  let scaled = Number((value / 10 ** exponent).toPrecision(digits));
  if (Math.abs(scaled) >= 1000 && exponent < 12) {
    exponent += 3;
    scaled = Number((value / 10 ** exponent).toPrecision(digits));
  }
  return `${scaled} ${PREFIXES.get(exponent)}${unit}`.trim();
}

/** A signed number with `digits` significant digits and a real minus sign. */
export function signed(value, digits = 4) {
  const text = Number(Math.abs(value).toPrecision(digits)).toString();
  if (value === 0) return "0";
  return `${value < 0 ? "−" : "+"}${text}`;
}

/** `16,384` */
export const grouped = (count) => count.toLocaleString("en-US");

/** Millimetres to the micrometre. */
export const millimetres = (value) => value.toFixed(3).replace("-", "−");

/** A length given in millimetres, in micrometres to the nanometre that single precision still holds. */
export const micrometres = (value) => Number((value * 1000).toPrecision(4)).toLocaleString("en-US");

/** The round number (1, 2 or 5 times a power of ten) next below `value`. */
export function roundBelow(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  const lead = value / power;
  return power * (lead >= 5 ? 5 : lead >= 2 ? 2 : 1);
}
