/** The grammar of durations: what counts, what is refused, and what the refusal proposes. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatDuration, MAX_DURATION_SECONDS, parseDuration } from '../../src/main/config/duration.ts';

const units = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 };

const acceptedTexts: readonly (readonly [string, number])[] = [
  ['', 0],
  ['0', 0],
  ['0d', 0],
  ['30d', 2_592_000],
  ['1y', 31_536_000],
  ['1y30d12h', 34_171_200],
  ['90m', 5_400],
  ['1h1h', 7_200],
  ['1h30m', 5_400],
  ['8760h', 31_536_000],
  ['2w', 1_209_600],
  ['12h1y', 31_579_200],
  ['100y', MAX_DURATION_SECONDS],
  ['007s', 7],
];

const refusedTexts: readonly (readonly [string, RegExp])[] = [
  ['30', /no unit: did you mean "30d"\?/],
  ['3600', /no unit: did you mean "3600s"\?/],
  ['30days', /did you mean "30d"\?/],
  ['1.5h', /did you mean "1h30m"\?/],
  ['30 d', /did you mean "30d"\?/],
  ['30D', /did you mean "30d"\?/],
  ['1 year 2 weeks', /did you mean "1y14d"\?/],
  ['-1d', /has a sign/],
  ['+1d', /has a sign/],
  ['10ms', /unknown unit "ms"/],
  ['1M', /unknown unit "M"; minutes are m/],
  ['1Mo', /unknown unit "Mo"/],
  ['d', /is not understood/],
  ['30d ', /did you mean "30d"\?/],
  ['never', /is not understood/],
  ['1234567890s', /is not understood/],
  ['101y', /more than 100 years/],
  ['100y1s', /more than 100 years/],
  ['\u0663\u0660d', /is not understood/],
];

describe('durations', () => {
  for (const [text, seconds] of acceptedTexts) {
    it(`reads "${text}" as ${seconds} seconds`, () => {
      assert.deepEqual(parseDuration(text), { ok: true, value: seconds });
    });
  }

  for (const [text, message] of refusedTexts) {
    it(`refuses "${text}" and shows the rule`, () => {
      const result = parseDuration(text);
      assert.equal(result.ok, false);
      assert.match(result.message, message);
    });
  }

  const parts = fc.array(
    fc.record({ count: fc.integer({ min: 0, max: 9_999 }), unit: fc.constantFrom(...(Object.keys(units) as 's'[])) }),
    { minLength: 1, maxLength: 6 },
  );

  it('adds up parts in any order, repeated units included', () => {
    fc.assert(
      fc.property(parts, (list) => {
        const seconds = list.reduce((sum, { count, unit }) => sum + count * units[unit], 0);
        const result = parseDuration(list.map(({ count, unit }) => `${count}${unit}`).join(''));
        if (seconds > MAX_DURATION_SECONDS) assert.equal(result.ok, false);
        else assert.deepEqual(result, { ok: true, value: seconds });
      }),
    );
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: MAX_DURATION_SECONDS }), (seconds) => {
        assert.deepEqual(parseDuration(formatDuration(seconds)), { ok: true, value: seconds });
      }),
    );
  });

  it('refuses every text outside of the grammar, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123456789smhdwyMD.- +'), maxLength: 12 }), (text) => {
        const isInGrammar = text === '' || text === '0' || /^(?:[0-9]{1,9}[smhdwy])+$/.test(text);
        const result = parseDuration(text);
        if (!isInGrammar) assert.equal(result.ok, false);
      }),
    );
  });

  it('proposes nothing where the intention is more than 100 years', () => {
    for (const text of ['101Y', '36501 days']) {
      const result = parseDuration(text);
      assert.ok(!result.ok && !result.message.includes('did you mean'), text);
    }
  });

  it('never proposes a duration that it would refuse', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        const result = parseDuration(text);
        if (result.ok) return;
        const [, proposal] = /did you mean "([^"]*)"/.exec(result.message) ?? [];
        if (proposal !== undefined && !/^\d{10,}/.test(proposal)) assert.equal(parseDuration(proposal).ok, true);
      }),
    );
  });
});
