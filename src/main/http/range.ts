/**
 * Range requests for bytes (RFC 9110 §14). What cannot be understood is ignored, so that the whole representation is
 * sent: a range that was misread would corrupt the file a client puts together from it.
 */

/** Positions of the first and the last byte, both included: `0 <= first <= last < size`. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export type RangeSelection =
  /** No Range, or one to ignore: 200 with everything. */
  | { readonly kind: 'whole' }
  | { readonly kind: 'single'; readonly range: ByteRange }
  /** At least two ranges, in the order of the request. */
  | { readonly kind: 'multiple'; readonly ranges: readonly ByteRange[] }
  /** 416. */
  | { readonly kind: 'unsatisfiable' };

/** RFC 9110 §17.15: a few bytes of request must not ask for thousands of parts. */
const maxRanges = 8;

const whole: RangeSelection = { kind: 'whole' };
const unsatisfiable: RangeSelection = { kind: 'unsatisfiable' };
const rangeUnit = /^bytes=/i;
const rangeSpec = /^[\t ]*(?:([0-9]+)-([0-9]*)|-([0-9]+))[\t ]*$/;
const emptyMember = /^[\t ]*$/;

/** Number of bytes in a range. */
export function rangeLength(range: ByteRange): number {
  return range.last - range.first + 1;
}

/**
 * Selects the bytes that a Range field asks for in a representation of `size` bytes. More than 8 ranges, or ranges that
 * together are longer than the representation, count as no Range at all. Linear in the length of the value.
 * @param value the field's value, several lines joined by commas (which makes them a syntax error); null without one.
 */
export function selectRange(value: string | null, size: number): RangeSelection {
  if (value === null || !rangeUnit.test(value)) return whole;
  const ranges: ByteRange[] = [];
  let specs = 0;
  let totalLength = 0;
  for (let start = 'bytes='.length; start <= value.length; ) {
    const comma = value.indexOf(',', start);
    const end = comma === -1 ? value.length : comma;
    const member = value.slice(start, end);
    start = end + 1;
    if (emptyMember.test(member)) continue;
    specs += 1;
    const range = specs > maxRanges ? 'invalid' : parseSpec(member, size);
    if (range === 'invalid') return whole;
    if (range === null) continue;
    ranges.push(range);
    totalLength += rangeLength(range);
  }
  return selectionOf(ranges, specs, totalLength, size);
}

function selectionOf(ranges: readonly ByteRange[], specs: number, totalLength: number, size: number): RangeSelection {
  const [range] = ranges;
  if (specs === 0 || totalLength > size) return whole;
  if (range === undefined) return unsatisfiable;
  return ranges.length === 1 ? { kind: 'single', range } : { kind: 'multiple', ranges };
}

/** One range-spec (RFC 9110 §14.1.1); null: well-formed, but no byte of the representation satisfies it. */
function parseSpec(spec: string, size: number): ByteRange | 'invalid' | null {
  const parts = rangeSpec.exec(spec);
  if (parts === null) return 'invalid';
  const [, firstText, lastText, suffixText] = parts;
  // Number() rounds beyond 2^53 but keeps the order, and every size is far below: nothing can wrap.
  if (firstText === undefined) return lastBytes(Number(suffixText), size);
  const first = Number(firstText);
  const last = lastText === undefined || lastText === '' ? Number.POSITIVE_INFINITY : Number(lastText);
  if (last < first) return 'invalid';
  return first < size ? { first, last: Math.min(last, size - 1) } : null;
}

function lastBytes(suffixLength: number, size: number): ByteRange | 'invalid' | null {
  if (suffixLength === 0) return null;
  // Satisfiable by §14.1.2, but the zero bytes of an empty file have no Content-Range: it is sent as a whole.
  if (size === 0) return 'invalid';
  return { first: Math.max(0, size - suffixLength), last: size - 1 };
}

/**
 * Where the answer to a Range field probably begins, before the size is known: lets a reader fetch the right bytes with
 * the first read. A hint only: 0 for suffixes, several ranges out of order, and everything that will be ignored.
 */
export function firstRangeOffset(value: string | null): number {
  if (value === null) return 0;
  const digits = /^bytes=[\t ]*([0-9]{1,15})-/i.exec(value)?.[1];
  return digits === undefined ? 0 : Number(digits);
}

/** Value of Content-Range for a part (RFC 9110 §14.4): `bytes 0-499/1234`. */
export function contentRange(range: ByteRange, size: number): string {
  return `bytes ${range.first}-${range.last}/${size}`;
}

/** Value of Content-Range that goes with 416: `bytes *` `/1234`. */
export function unsatisfiedRange(size: number): string {
  return `bytes */${size}`;
}
