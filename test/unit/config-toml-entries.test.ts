/** Where the settings of a file stand, and that one syntax error does not hide the next. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import TOML from '@iarna/toml';
import fc from 'fast-check';
import type { GivenValue } from '../../src/main/config/given-value.ts';
import { readTomlEntries } from '../../src/main/config/toml-entries.ts';

interface Piece {
  /** Text in front of the key on its line. */
  readonly indent: string;
  readonly key: string;
  readonly equals: string;
  readonly value: string;
  readonly tail: string;
  /** Lines that follow. */
  readonly gap: string;
}

const word = fc.string({ unit: fc.constantFrom(...'abcXYZ_-09'), minLength: 1, maxLength: 8 });
const content = fc.string({ unit: fc.constantFrom(...'ab #[]{}=,.\t\u00e9\u{1f600}'), maxLength: 10 });
const basic = content.map((text) => JSON.stringify(text));
const literal = content.map((text) => `'${text}'`);
const multiLine = fc
  .tuple(fc.array(content, { minLength: 1, maxLength: 4 }), fc.constantFrom('"""', "'''"))
  .map(([lines, quotes]) => `${quotes}\n${lines.join('\n')}${quotes}`);
const scalar = fc.oneof(basic, literal, fc.constantFrom('true', 'false', '0', '1_000', '0x1F', '-3', '2.5', '1e3'));
const array = fc
  .tuple(fc.array(basic, { maxLength: 4 }), fc.constantFrom(', ', ',\n', ', # ]"\n  '), fc.constantFrom('', '\n', ' '))
  .map(([items, separator, edge]) => `[${edge}${items.join(separator)}${edge}]`);
const spaces = fc.constantFrom('', ' ', '\t', '  ');

const piece: fc.Arbitrary<Piece> = fc.record({
  indent: spaces,
  key: fc.oneof(
    word,
    content.map((text) => JSON.stringify(text)),
  ),
  equals: fc.tuple(spaces, spaces).map(([before, after]) => `${before}=${after}`),
  value: fc.oneof(scalar, multiLine, array),
  tail: fc.constantFrom('', ' ', ' # "comment [', '\t#='),
  gap: fc.constantFrom('', '\n', '# comment = 1\n', '  \n#\n\n'),
});

/** A value as the library's would print; floats as numbers, whatever their spelling. */
function plain(value: GivenValue): string {
  if (value.type === 'array') return value.items.map(plain).join(',');
  return 'value' in value ? String(value.value) : String(Number(value.text));
}

/** A text that has not been split by us: how many lines, and how long the last one is so far. */
function positionOfEnd(text: string): { line: number; column: number } {
  const lines = text.split('\n');
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

describe('positions of settings', () => {
  it('are those of the text, whatever stands around them', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('', '\n', '# first\n'),
        (pieces, start) => {
          let text = start;
          const expected: unknown[] = [];
          for (const { indent, key, equals, value, tail, gap } of pieces) {
            text += indent;
            const keyAt = positionOfEnd(text);
            text += `${key}${equals}`;
            const valueAt = positionOfEnd(text);
            text += `${value}${tail}\n${gap}`;
            const [[name] = ['']] = Object.entries(TOML.parse(`${key} = 0`));
            expected.push({ path: [name], keyAt, valueAt });
          }
          const { entries, errors } = readTomlEntries(text);
          assert.deepEqual(errors, []);
          assert.deepEqual(
            entries.map(({ path, keyAt, valueAt }) => ({ path, keyAt, valueAt })),
            expected,
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it('come with the values that the library reads from the whole file', () => {
    const distinct = fc.uniqueArray(piece, { selector: ({ key }) => Object.keys(TOML.parse(`${key} = 0`))[0] });
    fc.assert(
      fc.property(distinct, (pieces) => {
        const text = pieces
          .map(({ indent, key, equals, value, tail, gap }) => `${indent}${key}${equals}${value}${tail}\n${gap}`)
          .join('');
        const read = readTomlEntries(text).entries.map(({ path, value }) => [path[0], plain(value)] as const);
        const expected = Object.entries(TOML.parse(text)).map(([name, value]) => [name, String(value)] as const);
        // Objects list keys that look like numbers first.
        assert.deepEqual(new Map(read), new Map(expected));
      }),
    );
  });

  it('never throws, and ends, on any text', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'ab="\'\\[]{},.#\n\r\t \u0000\u00e9:1'), maxLength: 60 });
    fc.assert(
      fc.property(noise, (text) => {
        const { entries, tables, errors } = readTomlEntries(text);
        const lines = text.split('\n').length;
        for (const { keyAt } of entries) assert.ok(keyAt.line <= lines);
        for (const { at, message } of errors) {
          assert.ok(at.line <= lines && at.column >= 1 && message !== '');
          assert.doesNotMatch(message, /\n/);
        }
        assert.ok(tables.length <= lines);
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes as TOML exactly the single lines that the library takes', () => {
    const line = fc.string({ unit: fc.constantFrom(...'ab="\'\\[]{},.# 1t'), maxLength: 16 });
    fc.assert(
      fc.property(line, (text) => {
        let isToml = true;
        try {
          TOML.parse(text);
        } catch {
          // The library refuses by throwing.
          isToml = false;
        }
        assert.equal(readTomlEntries(text).errors.length === 0, isToml);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('tables', () => {
  it('give their entries a longer path, inline and dotted ones as well', () => {
    const text = '[server]\nlistenport = 1\n[a."b c"]\nd.e = { f = 1 }\n[[list]]\nx = 1\n';
    const { entries, tables, errors } = readTomlEntries(text);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      tables.map(({ path }) => path),
      [['server'], ['a', 'b c'], ['list']],
    );
    assert.deepEqual(
      entries.map(({ path, value }) => [path, value.type]),
      [
        [['server', 'listenport'], 'integer'],
        [['a', 'b c', 'd', 'e'], 'table'],
        [['list', 'x'], 'integer'],
      ],
    );
  });

  it('are harmless when they are called __proto__ or constructor', () => {
    const { entries } = readTomlEntries('__proto__ = 1\nconstructor = 2\n[__proto__]\npolluted = true\n');
    assert.deepEqual(
      entries.map(({ path }) => path),
      [['__proto__'], ['constructor'], ['__proto__', 'polluted']],
    );
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });
});

describe('the difference between 1 and 1.0', () => {
  const types: readonly (readonly [string, string])[] = [
    ['1', 'integer'],
    ['1_048_576', 'integer'],
    ['0x1F90', 'integer'],
    ['0xe', 'integer'],
    ['1.0', 'float'],
    ['1e9', 'float'],
    ['inf', 'float'],
    ['-nan', 'float'],
    ['9223372036854775807', 'large-integer'],
    ['2026-01-01', 'date'],
    ['10:20:30', 'date'],
  ];
  for (const [text, type] of types) {
    it(`is seen: ${text} is ${type}`, () => {
      const { entries } = readTomlEntries(`key = ${text} # note`);
      assert.equal(entries[0]?.value.type, type);
    });
  }
});

const syntaxErrors: readonly (readonly [string, string])[] = [
  ['Secret', '1:1 expected = after Secret: every setting has the form Key = value'],
  ['Secret: "x"', '1:1 write = instead of : after Secret'],
  ['Secret: a=b', '1:7 write = instead of : after Secret'],
  ['Secret =', '1:9 Secret has no value; remove the line or write one'],
  ['Secret = # none', '1:10 Secret has no value; remove the line or write one'],
  ['Secret = hello', '1:10 Secret: text needs quotes: Secret = "..."'],
  ['LogLevel = info', '1:12 LogLevel: text needs quotes: LogLevel = "..."'],
  ['FileTTL = 30d', '1:11 FileTTL: text needs quotes: FileTTL = "..."'],
  ['StoreDir = ./uploads', '1:12 StoreDir: text needs quotes: StoreDir = "..."'],
  ['Secret = \u201chello\u201d', '1:10 Secret: text needs straight quotes: Secret = "..."'],
  ['UnixSocket = True', '1:14 UnixSocket: write true in lower case'],
  ['UnixSocket = yes', '1:14 UnixSocket: write true'],
  ['UnixSocket = off # x', '1:14 UnixSocket: write false'],
  ['ListenPort = 08080', '1:14 ListenPort: a number must not begin with 0'],
  ['Secret = "hello', '1:10 Secret: the closing quote is missing'],
  ["Secret = 'hello", '1:10 Secret: the closing quote is missing'],
  ['Secret = "a" "b"', '1:10 Secret: unexpected text after the value'],
  [
    'LogFile = "C:\\logs"',
    '1:11 LogFile: a backslash in "..." begins an escape; write \\\\ for one backslash, or use \'...\'',
  ],
  ['Secret = """hello', '1:10 Secret: the multi-line text that begins here has no closing """'],
  ['PreviousSecrets = ["a"', '1:19 PreviousSecrets: the array that begins here has no closing ]'],
  [
    'PreviousSecrets = ["a" "b"]',
    '1:19 PreviousSecrets: in an array, commas stand between the values and a ] at the end',
  ],
  ['= 1', '1:1 expected a line of the form Key = value'],
  ['stray words', '1:1 expected a line of the form Key = value'],
  ['Unknown = words', '1:11 Key: text needs quotes: Key = "..."'],
  ['ü = 1', '1:1 expected a line of the form Key = value'],
  ['[server', '1:1 this is no table header, and tables are not used here'],
  ['Secret = "x" # a\u0001b', '1:17 control character \\u0001 in comments; remove it'],
];

describe('syntax errors', () => {
  for (const [text, expected] of syntaxErrors) {
    it(`are explained: ${text}`, () => {
      const found = readTomlEntries(text).errors.map(({ at, message }) => `${at.line}:${at.column} ${message}`);
      assert.deepEqual(found, [expected]);
    });
  }

  it('do not hide what follows them', () => {
    const text = 'A = [".txt"\nB = hello\nC = "ok"\nD = """\nopen\n';
    const { entries, errors } = readTomlEntries(text);
    assert.deepEqual(
      entries.map(({ path }) => path[0]),
      ['C'],
    );
    assert.deepEqual(
      errors.map(({ at }) => at.line),
      [1, 2, 4],
    );
  });

  it('never quote the value, which may be a secret', () => {
    const value = fc.string({ unit: fc.constantFrom(...'"\'\\[]{}= #1.\u201c:'), maxLength: 6 });
    fc.assert(
      fc.property(value, value, (before, after) => {
        for (const { message } of readTomlEntries(`Secret ${before}HUSH${after}`).errors)
          assert.doesNotMatch(message, /HUSH/);
        for (const { message } of readTomlEntries(`Secret = "\nHUSH${after}`).errors)
          assert.doesNotMatch(message, /HUSH/);
        for (const { message } of readTomlEntries(`Secret = ${before}HUSH${after}`).errors)
          assert.doesNotMatch(message, /HUSH/);
      }),
      { numRuns: 1_000 },
    );
  });
});
