/** What lies in a store and belongs to nothing: the next start, at the latest, must have removed it. */

import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { treeOf } from '../../support/store-state.ts';
import { hashOf, keyFolder, recordNameOf } from './stored-state.ts';

/** What `.hfs` may hold (storage-commit: layout). Anything else is something left behind. */
const OWN_NAMES = [
  'staging',
  'records',
  'long',
  'versions',
  'uploads',
  'tombstones',
  'log',
  'format.json',
  'lock',
  'dirty',
  'expiry.json',
];

/** By which an upload occupies its slot, or has one of the places for parts. */
const LINK = /\.(?:slot|p\d\d)$/;

/** Everything in the store that belongs to no content that can be read. Empty folders are no finding. */
export function leftovers(storeDir: string): readonly string[] {
  const own = join(storeDir, '.hfs');
  const strange = readdirSync(own).filter((name) => !OWN_NAMES.includes(name));
  const staged = filesOf(join(own, 'staging')).map((name) => `staging/${name}`);
  const drafts = filesOf(join(own, 'tombstones')).filter((name) => name.endsWith('.new'));
  const found = [
    ...strange,
    ...staged,
    ...drafts.map((name) => `tombstones/${name}`),
    ...strayUploads(own),
    ...strayVersions(storeDir),
    ...strayRecords(storeDir),
  ];
  return found.map((path) => `left behind: .hfs/${path}`);
}

/**
 * Names in the folder of uploads that belong to none: an upload has a record, a link that leads to it, and its bytes as
 * long as it is not finished. What is remembered of one that is over has no bytes.
 */
function strayUploads(own: string): readonly string[] {
  const folder = join(own, 'uploads');
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder);
  const records = new Map(names.filter((name) => name.endsWith('.json')).map((name) => [name, phaseIn(folder, name)]));
  const links = new Set(
    names.filter((name) => LINK.test(name)).map((name) => `${readlinkSync(join(folder, name))}.json`),
  );
  return names
    .filter((name) => {
      if (LINK.test(name)) return !records.has(`${readlinkSync(join(folder, name))}.json`);
      const record = `${name.slice(0, name.lastIndexOf('.'))}.json`;
      const phase = records.get(record);
      if (phase !== 'open') return phase === undefined || (name.endsWith('.data') && phase !== 'whole');
      return !links.has(record) || !names.includes(record.replace('.json', '.data'));
    })
    .map((name) => `uploads/${name}`);
}

function phaseIn(folder: string, name: string): string {
  const value: unknown = JSON.parse(readFileSync(join(folder, name), 'utf8'));
  return typeof value === 'object' && value !== null && 'phase' in value ? String(value.phase) : 'none';
}

function filesOf(folder: string): readonly string[] {
  return existsSync(folder) ? treeOf(folder).filter((path) => !path.endsWith('/')) : [];
}

/** Current contents by the hash of their key. */
function currentFiles(storeDir: string): ReadonlyMap<string, string> {
  const keys = treeOf(storeDir).filter((path) => !path.startsWith('.hfs/') && !path.endsWith('/'));
  const files = keys.map((key): [string, string] => [hashOf(key), join(storeDir, key)]);
  const long = filesOf(join(storeDir, '.hfs/long'));
  return new Map([
    ...files,
    ...long.map((path): [string, string] => [path.slice(3), join(storeDir, '.hfs/long', path)]),
  ]);
}

/** Versions without a current file, and those that are the current file under a second name. */
export function strayVersions(storeDir: string): readonly string[] {
  const current = currentFiles(storeDir);
  return filesOf(join(storeDir, '.hfs/versions'))
    .map((path) => `versions/${path}`)
    .filter((path) => {
      const file = current.get(path.split('/')[2] ?? '');
      return file === undefined || statSync(file).ino === statSync(join(storeDir, '.hfs', path)).ino;
    });
}

/** Records that describe neither the current content of their key nor a version. */
function strayRecords(storeDir: string): readonly string[] {
  const current = currentFiles(storeDir);
  return filesOf(join(storeDir, '.hfs/records'))
    .map((path) => `records/${path}`)
    .filter((path) => {
      const [, , keyHash = '', name] = path.split('/');
      const versions = keyFolder(storeDir, 'versions', keyHash);
      const contents = filesOf(versions).map((version) => join(versions, version));
      const file = current.get(keyHash);
      return ![...contents, ...(file === undefined ? [] : [file])].some((content) => recordNameOf(content) === name);
    });
}
