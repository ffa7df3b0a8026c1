/**
 * Cuts a TOML text into its statements (`key = value`, `[table]`) and knows where each begins. It only follows quotes,
 * brackets and comments; what a statement means is for the TOML library, which gets them one by one.
 */

/** Counted from 1; columns in UTF-16 units, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface TomlStatement {
  readonly kind: 'entry' | 'table';
  /** From its first character to the end of its last line. */
  readonly text: string;
  /** Offset of the statement in the file. */
  readonly start: number;
  /** Offsets within `text`; null when there is no `=`. */
  readonly equalsOffset: number | null;
  readonly valueOffset: number | null;
  /** False: a bracket or a multi-line string is still open at the end of the file. */
  readonly isClosed: boolean;
}

function endOfLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end === -1 ? text.length : end;
}

interface StringEnd {
  readonly end: number;
  readonly isClosed: boolean;
}

/** The end of a single-line string; an open one ends with its line, so that the next line is read as usual. */
function endOfString(text: string, start: number): StringEnd {
  const delimiter = text[start];
  for (let offset = start + 1; offset < text.length; offset += 1) {
    const character = text[offset];
    if (character === '\n') return { end: offset, isClosed: true };
    if (character === '\\' && delimiter === '"' && text[offset + 1] !== '\n') offset += 1;
    else if (character === delimiter) return { end: offset + 1, isClosed: true };
  }
  return { end: text.length, isClosed: true };
}

/** The end of a `"""` or `'''` string; one or two more quotes before the closing three belong to it (TOML 1.0). */
function endOfMultiLineString(text: string, start: number): StringEnd {
  const quote = text[start] ?? '"';
  const delimiter = quote.repeat(3);
  for (let offset = start + 3; offset < text.length; offset += 1) {
    if (text[offset] === '\\' && quote === '"') offset += 1;
    else if (text.startsWith(delimiter, offset)) {
      let end = offset + 3;
      while (end < offset + 5 && text[end] === quote) end += 1;
      return { end, isClosed: true };
    }
  }
  return { end: text.length, isClosed: false };
}

/** Where the `=` of an entry stands; null: its line ends before one. */
function findEquals(text: string, start: number): number | null {
  let offset = start;
  while (offset < text.length) {
    const character = text[offset] ?? '\n';
    if (character === '=') return offset;
    if (character === '\n' || character === '#') return null;
    offset = character === '"' || character === "'" ? endOfString(text, offset).end : offset + 1;
  }
  return null;
}

/** Skips one element of a value: a string, a comment, or a single character. */
function skipElement(text: string, offset: number): StringEnd {
  const character = text[offset] ?? '';
  if (character === '#') return { end: endOfLine(text, offset), isClosed: true };
  if (character !== '"' && character !== "'") return { end: offset + 1, isClosed: true };
  const isMultiLine = text.startsWith(character.repeat(3), offset);
  return isMultiLine ? endOfMultiLineString(text, offset) : endOfString(text, offset);
}

/** The end of the line on which every bracket of a value is closed. */
function endOfValue(text: string, start: number): StringEnd {
  let offset = start;
  let depth = 0;
  while (offset < text.length) {
    const character = text[offset] ?? '';
    if (character === '\n' && depth === 0) break;
    if ('[{'.includes(character)) depth += 1;
    if (']}'.includes(character)) depth = Math.max(0, depth - 1);
    const element = skipElement(text, offset);
    if (!element.isClosed) return element;
    offset = element.end;
  }
  return { end: offset, isClosed: depth === 0 };
}

function skipBlank(text: string, start: number): number {
  let offset = start;
  while (offset < text.length) {
    if (text[offset] === '#') offset = endOfLine(text, offset);
    else if (' \t\r\n'.includes(text[offset] ?? '')) offset += 1;
    else break;
  }
  return offset;
}

function skipSpaces(text: string, start: number): number {
  let offset = start;
  while (text[offset] === ' ' || text[offset] === '\t') offset += 1;
  return offset;
}

/** The first statement at or after an offset; null: none follows. Expects `\n` as line end. */
export function nextStatement(text: string, offset: number): TomlStatement | null {
  const start = skipBlank(text, offset);
  if (start >= text.length) return null;
  if (text[start] === '[') {
    const line = text.slice(start, endOfLine(text, start));
    return { kind: 'table', text: line, start, equalsOffset: null, valueOffset: null, isClosed: true };
  }
  const equals = findEquals(text, start);
  if (equals === null) {
    const line = text.slice(start, endOfLine(text, start));
    return { kind: 'entry', text: line, start, equalsOffset: null, valueOffset: null, isClosed: true };
  }
  const value = skipSpaces(text, equals + 1);
  const { end, isClosed } = endOfValue(text, value);
  return {
    kind: 'entry',
    text: text.slice(start, end),
    start,
    equalsOffset: equals - start,
    valueOffset: value - start,
    isClosed,
  };
}

/** Makes a function that turns offsets of a text into line and column. */
export function positionsIn(text: string): (offset: number) => Position {
  const lineStarts = [0];
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', end + 1)) lineStarts.push(end + 1);
  return (offset) => {
    let low = 0;
    let high = lineStarts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
  };
}
