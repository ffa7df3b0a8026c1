/** The first line of the executable, and those who say the same. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readLaunch } from '../../bench/targets/launch.ts';
import { projectRoot } from '../support/project-root.ts';

const executable = join(projectRoot, 'dist/src/main/entry.cjs');

function textOf(file: string): string {
  return readFileSync(join(projectRoot, file), 'utf8');
}

describe('how the server is started', () => {
  const { environment, nodeOptions } = readLaunch(executable);
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);

  it('stands in the first line of the executable, which kernels before Linux 5.1 cut after 127 bytes', () => {
    const [line = ''] = readFileSync(executable, 'utf8').split('\n', 1);
    assert.ok(line.length <= 127, `${line.length} bytes`);
    assert.deepEqual(Object.keys(environment), ['MALLOC_TRIM_THRESHOLD_']);
    assert.deepEqual(nodeOptions, ['--max-semi-space-size=2', '--no-node-snapshot']);
  });

  it('is the same by npm start', () => {
    const start = [...variables, 'node', ...nodeOptions, 'dist/src/main/entry.cjs'].join(' ');
    assert.ok(textOf('package.json').includes(`exec env ${start}"`));
  });

  it('is the same in the container', () => {
    const image = textOf('Dockerfile');
    for (const variable of variables) assert.ok(image.includes(`    ${variable} \\\n`), variable);
    const command = ['node', ...nodeOptions, '/app/dist/src/main/entry.cjs'].map((word) => `"${word}"`);
    assert.ok(image.includes(`ENTRYPOINT [${command.join(', ')}]`));
  });

  it('is what operators are told who start node themselves', () => {
    const documented = textOf('docs/operations.md');
    for (const word of [...variables, ...nodeOptions]) assert.ok(documented.includes(word), word);
  });

  it('is nothing in particular where there is no such line', () => {
    assert.deepEqual(readLaunch(join(projectRoot, 'package.json')), { environment: {}, nodeOptions: [] });
  });
});
