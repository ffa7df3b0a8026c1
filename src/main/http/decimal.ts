/**
 * Numbers in fields: decimal digits and nothing else, never rounded. What a number cannot hold exactly is told apart from
 * what is no number at all, because the one is too large and the other is a mistake.
 */

/** `excessive`: well-formed, but above 2^53 - 1. */
export type Decimal = number | 'malformed' | 'excessive';

const digits = /^[0-9]{1,19}$/;

/** Reads at most 19 decimal digits: no sign, no white space, no exponent. */
export function parseDecimal(text: string): Decimal {
  if (!digits.test(text)) return 'malformed';
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : 'excessive';
}
