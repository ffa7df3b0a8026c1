/**
 * What a crash is let loose on: one operation over HTTP, with the state of its key before and after it. A crash at any
 * point may leave one of the two, whole; an acknowledged operation leaves the second.
 */

import { content } from '../../support/paced-transfer.ts';
import { type ServerProcess, TEST_SECRET, type TomlSettings } from '../../support/server-process.ts';
import { encodePath, signDelete, signV2 } from '../../support/sign.ts';
import type { StoredState } from './stored-state.ts';

export interface Operation {
  readonly name: string;
  readonly settings: TomlSettings;
  readonly before: StoredState;
  readonly after: StoredState;
  /** Brings a fresh key into the state `before`. */
  prepare(server: ServerProcess, key: string): Promise<void>;
  /** Resolves to the status of the answer; null: the connection ended without one. */
  run(server: ServerProcess, key: string): Promise<number | null>;
  /** The status that acknowledges the operation. */
  readonly acknowledged: number;
  /** What the same request is answered when it comes again, in either state: the slot is never dead. */
  readonly again: { readonly before: number; readonly after: number };
  /** What else is wrong once the state `after` is there. */
  afterwards?(server: ServerProcess, key: string): Promise<readonly string[]>;
}

export const NOTHING: StoredState = { current: null, versions: [] };

/** A signed PUT. `type` is stored beside the content; null: the extension's is served. */
export async function upload(
  server: ServerProcess,
  key: string,
  bytes: Buffer<ArrayBuffer>,
  type: string | null = null,
): Promise<number | null> {
  const typed = `/files/${encodePath(key)}?v2=${signV2(TEST_SECRET, key, bytes.length, type ?? '')}`;
  const target = type === null ? server.signedTarget(key, bytes.length) : typed;
  const headers = type === null ? {} : { 'Content-Type': type };
  try {
    const response = await fetch(server.origin + target, { method: 'PUT', body: bytes, headers });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // The server is gone, which is what these tests are about.
    return null;
  }
}

interface CreateShape {
  readonly name: string;
  readonly size: number;
  readonly type: string | null;
}

function create({ name, size, type }: CreateShape): Operation {
  const bytes = content(name, size);
  return {
    name,
    settings: {},
    before: NOTHING,
    after: { current: { bytes, type: type ?? 'application/octet-stream' }, versions: [] },
    prepare: async () => {},
    run: (server, key) => upload(server, key, bytes, type),
    acknowledged: 201,
    again: { before: 201, after: 409 },
  };
}

/** Small, in more than one piece, and with a record. */
export const creations: readonly Operation[] = [
  create({ name: 'create, 10 KB', size: 10_240, type: null }),
  create({ name: 'create, 700 KB', size: 700_000, type: null }),
  create({ name: 'create with a type', size: 100_000, type: 'image/x-own' }),
];

interface OverwriteShape {
  readonly name: string;
  readonly maxVersions: number;
  /** How many contents the path has had before. */
  readonly earlier: number;
  readonly type: string | null;
}

function overwrite({ name, maxVersions, earlier, type }: OverwriteShape): Operation {
  const contents = Array.from({ length: earlier + 1 }, (_, index) => content(`${name} ${index}`, 20_000 + index));
  const stateAfter = (count: number): StoredState => {
    const stored = contents.map((bytes) => ({ bytes, type: type ?? 'application/octet-stream' }));
    return {
      current: stored[count - 1] ?? null,
      versions: stored.slice(Math.max(0, count - 1 - maxVersions), count - 1),
    };
  };
  const put = (server: ServerProcess, key: string, index: number): Promise<number | null> =>
    upload(server, key, contents[index] ?? Buffer.alloc(0), type);
  return {
    name,
    settings: { EnableVersioning: true, MaxVersions: maxVersions },
    before: stateAfter(earlier),
    after: stateAfter(earlier + 1),
    prepare: async (server, key) => {
      for (let index = 0; index < earlier; index += 1) {
        const status = await put(server, key, index);
        if (status !== 201) throw new Error(`content ${index} of ${key}: ${status}`);
      }
    },
    run: (server, key) => put(server, key, earlier),
    acknowledged: 201,
    // The same content again is stored already.
    again: { before: 201, after: 201 },
  };
}

/** The first version, a version that pushes out another one, with records, and none that is kept. */
export const overwrites: readonly Operation[] = [
  overwrite({ name: 'overwrite', maxVersions: 3, earlier: 1, type: null }),
  overwrite({ name: 'overwrite with types, one version pushed out', maxVersions: 1, earlier: 2, type: 'image/x-own' }),
  overwrite({ name: 'overwrite with types, no version kept', maxVersions: 0, earlier: 1, type: 'image/x-own' }),
];

const DELETE_SECRET = 'a-delete-secret-that-only-tests-know';

async function remove(server: ServerProcess, key: string): Promise<number | null> {
  const target = `/files/${encodePath(key)}?token=${signDelete(TEST_SECRET, key, DELETE_SECRET)}`;
  try {
    const response = await fetch(server.origin + target, { method: 'DELETE' });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // The server is gone.
    return null;
  }
}

interface DeletionShape {
  readonly name: string;
  /** How many contents the path has had. */
  readonly contents: number;
  readonly type: string | null;
}

function deletion({ name, contents, type }: DeletionShape): Operation {
  const bodies = Array.from({ length: contents }, (_, index) => content(`${name} ${index}`, 20_000 + index));
  const stored = bodies.map((bytes) => ({ bytes, type: type ?? 'application/octet-stream' }));
  const replay = (server: ServerProcess, key: string): Promise<number | null> =>
    upload(server, key, bodies[0] ?? Buffer.alloc(0), type);
  return {
    name,
    settings: { EnableVersioning: contents > 1, MaxVersions: 3, DeleteSecret: DELETE_SECRET },
    before: { current: stored.at(-1) ?? null, versions: stored.slice(0, -1) },
    after: NOTHING,
    prepare: async (server, key) => {
      for (const bytes of bodies) {
        const status = await upload(server, key, bytes, type);
        if (status !== 201) throw new Error(`${key}: ${status}`);
      }
    },
    run: remove,
    acknowledged: 204,
    again: { before: 204, after: 204 },
    afterwards: async (server, key) => {
      const status = await replay(server, key);
      return status === 409 ? [] : [`the slot is open again: a replay got ${status}`];
    },
  };
}

/** Without anything that goes with the file, with a record, and with records and versions. */
export const deletions: readonly Operation[] = [
  deletion({ name: 'delete', contents: 1, type: null }),
  deletion({ name: 'delete with a type', contents: 1, type: 'image/x-own' }),
  deletion({ name: 'delete with types and versions', contents: 3, type: 'image/x-own' }),
];
