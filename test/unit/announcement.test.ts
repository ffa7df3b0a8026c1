/** What is said at the start about settings and surroundings that are unwise. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { announceWarnings } from '../../src/main/announcement.ts';
import type { Config } from '../../src/main/config/config.ts';
import { configOf, MINIMAL } from '../support/config-fixture.ts';

function linesOf(isRoot: boolean): readonly string[] {
  const lines: string[] = [];
  const config: Config = { ...configOf(MINIMAL), secret: 'a-secret-that-only-tests-know' };
  announceWarnings({ config, logger: { log: (level, msg) => lines.push(`${level}: ${msg}`) }, isRoot });
  return lines;
}

test('A82 a start as root is warned of once, and a start as anybody else is not', () => {
  const [line, ...others] = linesOf(true);
  assert.match(line ?? '', /^warning: The server runs as root/);
  assert.deepEqual(others, linesOf(false));
  assert.ok(!others.some((other) => other.includes('root')));
});
