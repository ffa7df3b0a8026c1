/**
 * `npm run test:attacks`: runs every test whose title begins with a row of the catalogue of attacks, wherever it lives, and
 * the crowds of slow clients. A row that is missing fails the run. An argument is the number of cases for each parser, and
 * makes all measurements take as many samples as the catalogue says.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec as Spec } from 'node:test/reporters';
import { projectRoot } from '../../support/project-root.ts';
import { AttackSummary } from './attack-summary.ts';
import { makeLong } from './long-run.ts';

const TESTS = join(projectRoot, 'dist/test');
const LEFT_OUT: ReadonlySet<string> = new Set(['support', 'data']);
const titles = /^(?:A\d\d|Slow)\b/;
/** In the text of a compiled test. */
const hasTitle = /['"`](?:A\d\d |Slow: )/;
const TIMEOUT_MS = 180_000;
const LONG_TIMEOUT_MS = 1_800_000;

function filesWithAttacks(): string[] {
  return readdirSync(TESTS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !LEFT_OUT.has(entry.name))
    .flatMap(({ name }) => readdirSync(join(TESTS, name)).map((file) => join(TESTS, name, file)))
    .filter((file) => file.endsWith('.test.js') && hasTitle.test(readFileSync(file, 'utf8')));
}

const [, , cases] = process.argv;
if (cases !== undefined) {
  process.env['PROPERTY_CASES'] = cases;
  makeLong();
}
const summary = new AttackSummary();
const events = run({
  files: filesWithAttacks(),
  testNamePatterns: [titles],
  concurrency: 2,
  timeout: cases === undefined ? TIMEOUT_MS : LONG_TIMEOUT_MS,
  forceExit: true,
});
events.on('test:pass', (test) => summary.take(test, true));
events.on('test:fail', (test) => {
  summary.take(test, false);
  process.exitCode = 1;
});
events.on('end', () => {
  if (summary.missing.length > 0) process.exitCode = 1;
  // Behind everything that the reporter has to say.
  process.once('exit', () => process.stdout.write(`${summary.render()}\n`));
});
events.compose(new Spec()).pipe(process.stdout);
