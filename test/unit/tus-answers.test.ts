/** Outcomes and failures in words of tus 1.0.0. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from '../../src/main/http/exchange.ts';
import { resumableProblems } from '../../src/main/http/problem.ts';
import { createTus } from '../../src/main/upload/tus.ts';
import type { FileKey } from '../../src/shared/files.ts';
import type { ResumableCommand, ResumableFailure, UploadState } from '../../src/shared/resumable.ts';
import { slotServer } from '../support/slot-decision.ts';
import { BASE_PATH, RESOURCE, RESOURCE_PATH, uploadRequest } from '../support/upload-request.ts';

const place = { basePath: BASE_PATH, publicOrigin: null };
const tus = createTus(() => slotServer({ maxUploadBytes: 5000 }), place);
const target = { kind: 'resource', name: RESOURCE } as const;
const version = ['Tus-Resumable', '1.0.0'] as const;
const patch = uploadRequest('PATCH', RESOURCE_PATH, [version, ['Upload-Checksum', 'sha1 x']]);

const state: UploadState = {
  name: RESOURCE,
  key: 'a' as FileKey,
  fileId: '0123456789ab',
  protocol: 'tus',
  offset: 5,
  length: 10,
  createdAtMs: 0,
  isComplete: false,
  expiresAtMs: Date.UTC(2030, 0, 1),
  metadata: 'filename YQ==',
  concatenation: 'none',
  concatText: null,
};

function fieldsOf(answer: Answer): Record<string, string> {
  return Object.fromEntries(answer.fields.map(([name, value]) => [name.toLowerCase(), value]));
}

function respond(type: ResumableCommand['type'], changes: Partial<UploadState> = {}): Answer {
  const commands = {
    append: {
      type: 'append',
      protocol: 'tus',
      target,
      offset: 0,
      length: null,
      body: { length: 5, digests: [], completes: null },
    },
    inspect: { type: 'inspect', protocol: 'tus', target },
    discard: { type: 'discard', protocol: 'tus', target },
    create: {
      type: 'create',
      protocol: 'tus',
      key: state.key,
      signature: { scheme: 'v', mac: '', messages: [{ text: '', storedType: null }] },
      length: 10,
      maxLength: 10,
      signedLength: 10,
      metadata: null,
      concatenation: null,
      digests: [],
      terms: { usableUntilMs: null, expiresAtMs: null, owner: null },
      body: null,
    },
  } as const;
  const outcome = { state: { ...state, ...changes }, completed: null };
  return tus.respond({ type: 'resumable', command: commands[type], outcome }, patch);
}

test('every answer says the version, is kept by nobody and readable from every origin', () => {
  for (const type of ['create', 'append', 'inspect', 'discard'] as const) {
    const fields = fieldsOf(respond(type));
    assert.equal(fields['tus-resumable'], '1.0.0');
    assert.equal(fields['cache-control'], 'no-store');
    assert.equal(fields['referrer-policy'], 'no-referrer');
    assert.equal(fields['access-control-allow-origin'], '*');
  }
});

test('a creation is 201 with Location, offset and expiration', () => {
  const answer = respond('create');
  const fields = fieldsOf(answer);
  assert.equal(answer.status, 201);
  assert.equal(fields['location'], RESOURCE_PATH);
  assert.equal(fields['upload-offset'], '5');
  assert.equal(fields['upload-expires'], 'Tue, 01 Jan 2030 00:00:00 GMT');
});

test('an append is 204 with the offset; a finished upload does not expire, a finished part does', () => {
  assert.deepEqual([respond('append').status, fieldsOf(respond('append'))['upload-offset']], [204, '5']);
  assert.equal(fieldsOf(respond('append', { isComplete: true }))['upload-expires'], undefined);
  const part = respond('append', { isComplete: true, concatenation: 'partial' });
  assert.equal(fieldsOf(part)['upload-expires'], 'Tue, 01 Jan 2030 00:00:00 GMT');
});

test('HEAD is 200 without a length of its own, and tells all that is known', () => {
  const answer = respond('inspect');
  const fields = fieldsOf(answer);
  assert.deepEqual([answer.status, answer.body], [200, null]);
  assert.deepEqual([fields['upload-length'], fields['upload-defer-length']], ['10', undefined]);
  assert.deepEqual([fields['upload-metadata'], fields['upload-concat']], ['filename YQ==', undefined]);
  const deferred = fieldsOf(respond('inspect', { length: null, metadata: null, concatText: 'partial' }));
  assert.deepEqual([deferred['upload-length'], deferred['upload-defer-length']], [undefined, '1']);
  assert.deepEqual([deferred['upload-metadata'], deferred['upload-concat']], [undefined, 'partial']);
});

const statuses = {
  'upload-unknown': 404,
  'upload-gone': 410,
  'upload-protocol': 404,
  'offset-mismatch': 409,
  'length-mismatch': 400,
  'length-exceeded': 413,
  'length-unsigned': 403,
  'body-too-long': 413,
  'body-too-short': 400,
  'upload-complete': 403,
  'upload-final': 403,
  'part-unusable': 400,
  'too-many-uploads': 503,
  'extension-disallowed': 403,
  'digest-mismatch': 460,
  exists: 409,
  'no-space': 507,
  overloaded: 503,
  io: 500,
} satisfies Partial<Record<ResumableFailure['code'], number>>;

test('every failure has its status, as problem details with the version', () => {
  for (const [name, status] of Object.entries(statuses)) {
    const code = name as keyof typeof statuses;
    const failure = { code, detail: 'of no interest', state: null, discarded: null };
    const answer = tus.reject({ problem: resumableProblems[code], failure }, patch);
    const fields = fieldsOf(answer);
    assert.equal(answer.status, status, code);
    assert.equal(fields['tus-resumable'], '1.0.0');
    assert.equal(fields['content-type'], 'application/problem+json');
    assert.equal(fields['upload-offset'], undefined);
    assert.equal(JSON.parse(String(answer.body)).status, status);
  }
});

test('a digest of HTTP that does not hold is 400, and so is a whole file that is not what Repr-Digest said', () => {
  const failure = { code: 'digest-mismatch', detail: '', state, discarded: null } as const;
  const problem = resumableProblems['digest-mismatch'];
  const bare = uploadRequest('PATCH', RESOURCE_PATH, [version, ['Content-Digest', 'sha-256=:x:']]);
  assert.equal(tus.reject({ problem, failure }, bare).status, 400);
  assert.equal(tus.reject({ problem, failure }, patch).status, 460);
  assert.equal(tus.reject({ problem, failure: { ...failure, state: null, discarded: state } }, patch).status, 400);
});

test('T-P6, T-P7 the right offset stands beside 409, and where a wrong checksum leaves the upload', () => {
  for (const code of ['offset-mismatch', 'digest-mismatch', 'body-too-long'] as const) {
    const failure = { code, detail: '', state, discarded: null };
    assert.equal(fieldsOf(tus.reject({ problem: resumableProblems[code], failure }, patch))['upload-offset'], '5');
  }
  const failure = { code: 'upload-complete', detail: '', state, discarded: null } as const;
  assert.equal(
    fieldsOf(tus.reject({ problem: resumableProblems['upload-complete'], failure }, patch))['upload-offset'],
    undefined,
  );
});

test('T-H6 a request without Tus-Resumable on an upload of tus is 412 with the version, GET 404', () => {
  const failure = { code: 'upload-protocol', detail: '', state, discarded: null } as const;
  const problem = resumableProblems['upload-protocol'];
  const head = tus.reject({ problem, failure }, uploadRequest('HEAD', RESOURCE_PATH));
  assert.equal(head.status, 412);
  assert.equal(fieldsOf(head)['tus-version'], '1.0.0');
  assert.equal(tus.reject({ problem, failure }, uploadRequest('GET', RESOURCE_PATH)).status, 404);
});

test('T-O1 to T-O5 OPTIONS names version, extensions, algorithms, and the limit where there is one', () => {
  const fields = Object.fromEntries(tus.describe());
  const extensions = fields['Tus-Extension']?.split(',') ?? [];
  assert.equal(fields['Tus-Version'], '1.0.0');
  assert.equal(new Set(extensions).size, extensions.length);
  assert.ok(extensions.includes('creation') && !extensions.includes('checksum-trailer'));
  assert.equal(fields['Tus-Max-Size'], '5000');
  assert.equal(new Map(createTus(() => slotServer(), place).describe()).has('Tus-Max-Size'), false);
});
