/** What npm installs: exact versions with known contents, no scripts, and the native addon that was looked at. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from '../support/project-root.ts';

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(join(projectRoot, file), 'utf8')) as T;
}

const { packages } = read<{ readonly packages: Readonly<Record<string, LockedPackage>> }>('package-lock.json');
const installed = Object.entries(packages).filter(([path]) => path !== '');

/** SHA-256 of the addon of uWebSockets.js, by the package that has it. */
const ADDONS: Readonly<Record<string, string>> = {
  '@uwsjs/linux-x64-20': '4d482084b665c225892917ee0e9b9572d89eaa6f3dc200ff5e536293d3456c89',
};

test('A87 every version in package.json is exact', () => {
  const { dependencies, devDependencies } =
    read<Record<'dependencies' | 'devDependencies', Record<string, string>>>('package.json');
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^(?:npm:@?[\w./-]+@)?\d+\.\d+\.\d+$/, name);
  }
});

test('A87 every package has an integrity, but builds for platforms that Debian on x64 never installs', () => {
  for (const [path, { integrity, optional, os, cpu, libc }] of installed) {
    if (integrity !== undefined) {
      assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, path);
      continue;
    }
    const isForeign = !(os?.includes('linux') ?? true) || !(cpu?.includes('x64') ?? true) || libc?.includes('musl');
    assert.ok(optional === true && isForeign, `${path} has no integrity`);
  }
});

test('A87 no package runs a script when it is installed, and npm would not let it', () => {
  for (const [path, { hasInstallScript }] of installed) assert.notEqual(hasInstallScript, true, path);
  assert.match(readFileSync(join(projectRoot, '.npmrc'), 'utf8'), /^ignore-scripts=true$/m);
});

test('A87 nothing comes from elsewhere than the registry', () => {
  for (const [path, { resolved, link }] of installed) {
    assert.notEqual(link, true, path);
    assert.ok(resolved === undefined || resolved.startsWith('https://registry.npmjs.org/'), `${path}: ${resolved}`);
  }
});

test('A87 the native addon is the one that was examined', () => {
  const addon = `@uwsjs/linux-x64-${process.versions.node.split('.')[0]}`;
  const expected = ADDONS[addon];
  assert.ok(expected !== undefined, `${addon} has not been examined; this project is developed with Node 20`);
  const file = createRequire(join(projectRoot, 'package.json')).resolve(`${addon}/uws.node`);
  assert.equal(createHash('sha256').update(readFileSync(file)).digest('hex'), expected);
});
