/** The alerts that ship for Prometheus, by its own tool: well-formed, and each proven to fire when it should. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ProgramRun, runProgram } from '../support/program.ts';
import { projectRoot } from '../support/project-root.ts';

const folder = join(projectRoot, 'deploy', 'prometheus');

function promtool(...args: readonly string[]): Promise<ProgramRun> {
  return runProgram('promtool', args, { debian: 'prometheus', cwd: folder });
}

test('promtool accepts the rules and the example configuration', async () => {
  const rules = await promtool('check', 'rules', '--lint-fatal', 'alerts.yml');
  assert.equal(rules.status, 0, rules.stdout + rules.stderr);
  const config = await promtool('check', 'config', '--lint-fatal', 'prometheus.yml');
  assert.equal(config.status, 0, config.stdout + config.stderr);
});

test('each alert fires for a server that is in its trouble, and for no other', async () => {
  const { status, stdout, stderr } = await promtool('test', 'rules', 'alerts.test.yml');
  assert.equal(status, 0, stdout + stderr);
});

test('no alert is without a test', () => {
  const alerts = [...readFileSync(join(folder, 'alerts.yml'), 'utf8').matchAll(/- alert: (\w+)/g)];
  const tested = [...readFileSync(join(folder, 'alerts.test.yml'), 'utf8').matchAll(/alertname="(\w+)"/g)];
  const names = (matches: readonly RegExpMatchArray[]): string[] => matches.map(([, name = '']) => name).toSorted();
  assert.deepEqual(names(tested), names(alerts));
  assert.ok(alerts.length > 0);
});
