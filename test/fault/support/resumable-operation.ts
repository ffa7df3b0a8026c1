/**
 * Uploads that can be gone on with, as operations that a crash is let loose on. Each run asks where to go on and does the
 * rest, as clients do; what was acknowledged before a crash must count after it.
 */

import { content } from '../../support/paced-transfer.ts';
import { type ServerProcess, TEST_SECRET, type TomlSettings } from '../../support/server-process.ts';
import { encodePath, signV2 } from '../../support/sign.ts';
import { NOTHING, type Operation, upload } from './operation.ts';
import type { StoredState } from './stored-state.ts';

const TUS = { 'Tus-Resumable': '1.0.0' };
const STREAM = { ...TUS, 'Content-Type': 'application/offset+octet-stream' };
/** Small enough for some of them to be made durable while a body comes. */
const CHUNK_BYTES = 65_536;
/** The end of a run that found less than it had been told. */
const LOST = -1;

type Fields = Readonly<Record<string, string>>;

/** null: the server is gone, which is what these tests are about. */
async function send(url: string, method: string, headers: Fields, body: Buffer<ArrayBuffer> | null = null) {
  try {
    const response = await fetch(url, { method, headers, body });
    await response.arrayBuffer();
    return response;
  } catch {
    return null;
  }
}

/** Stores are crashed beside each other, with the same keys. */
function nameOf({ storeDir }: ServerProcess, key: string): string {
  return `${storeDir} ${key}`;
}

/** One tus client for all keys: it knows the URL of each of its uploads, and how far it was told to be. */
class TusClient {
  private readonly bytes: Buffer<ArrayBuffer>;
  private readonly urls = new Map<string, string>();
  private readonly told = new Map<string, number>();

  constructor(bytes: Buffer<ArrayBuffer>) {
    this.bytes = bytes;
  }

  /** POST on the slot, with the first bytes if there are to be some. */
  async create(server: ServerProcess, key: string, firstBytes = 0, fields: Fields = {}): Promise<number | null> {
    const { bytes } = this;
    const target = `/files/${encodePath(key)}?v2=${signV2(TEST_SECRET, key, bytes.length, 'application/octet-stream')}`;
    const headers = { ...(firstBytes > 0 ? STREAM : TUS), 'Upload-Length': String(bytes.length), ...fields };
    const body = firstBytes > 0 ? bytes.subarray(0, firstBytes) : null;
    const response = await send(server.origin + target, 'POST', headers, body);
    const location = response?.headers.get('location') ?? null;
    if (location !== null) {
      this.urls.set(nameOf(server, key), location);
      this.told.set(nameOf(server, key), firstBytes);
    }
    return response?.status ?? null;
  }

  /** HEAD, then the bytes from there up to `end`. */
  async append(server: ServerProcess, key: string, end: number): Promise<number | null> {
    const name = nameOf(server, key);
    const head = await send(this.urlOf(server, key), 'HEAD', TUS);
    if (head?.status !== 200) return head?.status ?? null;
    const offset = Number(head.headers.get('upload-offset'));
    if (offset < (this.told.get(name) ?? 0)) return LOST;
    if (offset > end) return 204;
    const headers = { ...STREAM, 'Upload-Offset': String(offset) };
    const response = await send(this.urlOf(server, key), 'PATCH', headers, this.bytes.subarray(offset, end));
    if (response?.status === 204) this.told.set(name, end);
    return response?.status ?? null;
  }

  /** 404 after it was done before is as good as 204. */
  async terminate(server: ServerProcess, key: string): Promise<number | null> {
    const response = await send(this.urlOf(server, key), 'DELETE', TUS);
    return response?.status === 404 ? 204 : (response?.status ?? null);
  }

  private urlOf(server: ServerProcess, key: string): string {
    return server.origin + (this.urls.get(nameOf(server, key)) ?? '/');
  }
}

function stored(bytes: Buffer<ArrayBuffer>, versions: StoredState['versions'] = []): StoredState {
  return { current: { bytes, type: 'application/octet-stream' }, versions };
}

function creation(): Operation {
  const client = new TusClient(content('tus creation', 100_000));
  return {
    name: 'tus creation',
    settings: {},
    before: NOTHING,
    after: NOTHING,
    prepare: async () => {},
    run: (server, key) => client.create(server, key),
    acknowledged: 201,
    again: { before: 201, after: 201 },
  };
}

function creationWithUpload(): Operation {
  const bytes = content('tus creation with upload', 100_000);
  const client = new TusClient(bytes);
  return {
    name: 'tus creation with the whole body',
    settings: {},
    before: NOTHING,
    after: stored(bytes),
    prepare: async () => {},
    run: (server, key) => client.create(server, key, bytes.length),
    acknowledged: 201,
    again: { before: 201, after: 409 },
  };
}

interface AppendShape {
  readonly name: string;
  readonly settings: TomlSettings;
  /** The content that the path has before; null: none. */
  readonly earlier: Buffer<ArrayBuffer> | null;
}

function appends({ name, settings, earlier }: AppendShape): Operation {
  const bytes = content(name, 400_000);
  const client = new TusClient(bytes);
  return {
    name,
    settings,
    before: earlier === null ? NOTHING : stored(earlier),
    after: stored(bytes, earlier === null ? [] : [{ bytes: earlier, type: 'application/octet-stream' }]),
    prepare: async (server, key) => {
      if (earlier !== null) await upload(server, key, earlier);
      const status = await client.create(server, key, 1_000);
      if (status !== 201) throw new Error(`creation of ${key}: ${status}`);
    },
    run: async (server, key) => {
      const first = await client.append(server, key, 250_000);
      return first === 204 ? await client.append(server, key, bytes.length) : first;
    },
    acknowledged: 204,
    again: { before: 204, after: 204 },
  };
}

function termination(): Operation {
  const bytes = content('tus termination', 100_000);
  const client = new TusClient(bytes);
  return {
    name: 'tus termination',
    settings: {},
    before: NOTHING,
    after: NOTHING,
    prepare: async (server, key) => {
      const status = await client.create(server, key, 50_000);
      if (status !== 201) throw new Error(`creation of ${key}: ${status}`);
    },
    run: (server, key) => client.terminate(server, key),
    acknowledged: 204,
    again: { before: 204, after: 204 },
  };
}

/** Creation, an append, the end and a termination, with and without an existing file. */
export const resumables: readonly Operation[] = [
  creation(),
  creationWithUpload(),
  appends({ name: 'tus appends', settings: { ChunkSize: CHUNK_BYTES }, earlier: null }),
  appends({
    name: 'tus appends over a file, with digests',
    settings: { ChunkSize: CHUNK_BYTES, StoreDigest: true, EnableVersioning: true, MaxVersions: 3 },
    earlier: content('earlier', 20_000),
  }),
  termination(),
];
