/** One record, one line: nothing that comes from outside leaves it, moves the cursor, or makes it long. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { errorFields, type LogFields, renderJson, renderReadable } from '../../src/main/events/log-line.ts';
import { MAX_VALUE_CHARS, redact, withoutQuery } from '../../src/main/events/log-text.ts';

const timeMs = Date.UTC(2026, 0, 31, 12, 0, 0, 7);

function jsonOf(fields: LogFields): string {
  return renderJson({ timeMs, level: 'info', msg: 'Request completed', fields });
}

function parsed(line: string): Record<string, unknown> {
  return JSON.parse(line) as Record<string, unknown>;
}

test('begins with time (RFC 3339, milliseconds, UTC), level and msg', () => {
  assert.equal(
    jsonOf({ status: 201, path: '/a', missing: undefined, length: null, ok: true, types: ['a/b', 'c'] }),
    '{"time":"2026-01-31T12:00:00.007Z","level":"info","msg":"Request completed",' +
      '"status":201,"path":"/a","length":null,"ok":true,"types":["a/b","c"]}\n',
  );
});

test('writes readable lines for a terminal, and quotes what needs it', () => {
  const fields = { event: 'server.started', listen: '0.0.0.0:8080', text: 'a b', odd: '\u001b[31m', empty: '', n: 1 };
  assert.equal(
    renderReadable({ timeMs, level: 'warning', msg: 'Hello', fields }),
    '2026-01-31T12:00:00.007Z WARNING Hello event=server.started listen=0.0.0.0:8080 text="a b" ' +
      'odd="\\u001b[31m" empty="" n=1\n',
  );
});

const hostile: readonly (readonly [name: string, text: string])[] = [
  ['CR LF', '/a\r\n{"level":"info","msg":"forged"}'],
  ['ANSI escapes', '/\u001b[2J\u001b]0;title\u0007'],
  ['C1 control sequence introducer', '/\u009b31m\u0085'],
  ['JSON breakers', '/"},{"a":"\\'],
  ['line and paragraph separators', '/\u2028\u2029'],
  ['right-to-left override and zero width', '/\u202egnp.exe\u200b\ufeff'],
  ['NUL and DEL', '/\u0000\u007f'],
  ['homoglyphs and emoji', '/раypal-😀'],
  ['a lone surrogate', '/\ud83d'],
];

for (const [name, text] of hostile) {
  test(`A78 ${name} in a value stay one line of printable ASCII that decodes to the same text`, () => {
    for (const render of [renderJson, renderReadable]) {
      const line = render({ timeMs, level: 'info', msg: 'x', fields: { path: text } });
      assert.match(line, /^[\x20-\x7e]+\n$/);
    }
    assert.equal(parsed(jsonOf({ path: text }))['path'], text);
  });
}

test('A78 a value of 1 MB is cut to 2 KB, and says so', () => {
  const line = jsonOf({ path: `/${'a'.repeat(1_000_000)}`, types: ['b'.repeat(1_000_000)] });
  assert.ok(line.length < 2 * MAX_VALUE_CHARS + 300, `${line.length} characters`);
  assert.match(String(parsed(line)['path']), /^\/a{2047}\.\.\.\(997953 more\)$/);
});

test('A78 escaping 1 MB of control characters leaves a line of bounded length', () => {
  assert.ok(jsonOf({ path: '\u0001'.repeat(1_000_000) }).length < 6 * MAX_VALUE_CHARS + 300);
});

test('writes at most 16 items of a list', () => {
  const types = parsed(jsonOf({ types: Array<string>(10_000).fill('x') }))['types'];
  assert.equal((types as string[]).length, 16);
});

test('any text comes back from the JSON line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 500 }), (text) => {
      const line = jsonOf({ value: text });
      assert.match(line, /^[\x20-\x7e]+\n$/);
      assert.equal(parsed(line)['value'], text);
    }),
  );
});

test('gives numbers that JSON does not have as null', () => {
  assert.deepEqual(parsed(jsonOf({ a: Number.NaN, b: Number.POSITIVE_INFINITY }))['a'], null);
});

test('describes an error with its code, its stack and its causes', () => {
  const cause = Object.assign(new Error('inner'), { code: 'EIO' });
  const fields = errorFields(Object.assign(new Error('outer', { cause }), { code: 'E_OUTER' }));
  assert.equal(fields['error'], 'outer');
  assert.equal(fields['code'], 'E_OUTER');
  assert.match(String(fields['stack']), /^Error: outer\n.*caused by Error: inner/s);
});

test('describes anything that was thrown', () => {
  const circular = new Error('circle');
  circular.cause = circular;
  assert.equal(errorFields('text')['error'], 'text');
  assert.equal(errorFields(undefined)['error'], 'undefined');
  assert.equal(errorFields(Object.create(null))['error'], 'object');
  assert.equal(errorFields(circular)['error'], 'circle');
});

test('blots out queries and credentials in free text', () => {
  assert.equal(
    redact('GET /a?v=00ff&v2=11 failed: "Bearer eyJ.abc-_", basic dXNlcg==, ?token=x&v3=y. Why? v=1'),
    'GET /a?[redacted] failed: "Bearer [redacted]", basic [redacted], ?[redacted] Why? v=1',
  );
  assert.equal(redact('ENOSPC write'), 'ENOSPC write');
});

test('A76 blots out in time that is linear in the length of the text', () => {
  const startedMs = performance.now();
  for (const unit of ['?a', '?', 'Bearer ', 'a', ' ']) redact(`?${unit.repeat(1_000_000 / unit.length)}`);
  const elapsedMs = performance.now() - startedMs;
  assert.ok(elapsedMs < 1000, `${elapsedMs} ms`);
});

test('cuts a target at its first question mark', () => {
  assert.equal(withoutQuery('/a?v=1?b'), '/a');
  assert.equal(withoutQuery('/a'), '/a');
  assert.equal(withoutQuery('?v=1'), '');
});
