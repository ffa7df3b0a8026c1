/** The catalogue of problems, its renderings, and the fields of every answer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commonFields } from '../../src/main/http/common-fields.ts';
import { preflightFields } from '../../src/main/http/cors.ts';
import type { ResponseFields } from '../../src/main/http/field-line.ts';
import { safeField } from '../../src/main/http/fields.ts';
import {
  disallowedExtension,
  HttpProblem,
  methodNotAllowed,
  type Problem,
  problems,
  rangeNotSatisfiable,
  storageProblems,
} from '../../src/main/http/problem.ts';
import { plainTextAnswer, problemJsonAnswer } from '../../src/main/http/problem-answer.ts';
import { statusLine } from '../../src/main/http/status-line.ts';

function valuesOf(fields: ResponseFields, name: string): readonly string[] {
  return fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);
}

const catalogue: readonly Problem[] = [
  ...Object.values(problems),
  methodNotAllowed(['GET', 'HEAD', 'PUT']),
  rangeNotSatisfiable(12),
  disallowedExtension(['a', 'b']),
];

const texts: readonly (readonly [problem: Problem, status: number, text: string])[] = [
  [problems.notFound, 404, 'Not Found'],
  [problems.badRequest, 400, 'Bad Request'],
  [problems.doubtfulFraming, 400, 'Bad Request'],
  [methodNotAllowed(['GET']), 405, 'Method Not Allowed'],
  [problems.lengthRequired, 411, 'Length Required'],
  [problems.noSignature, 403, "No HMAC attached to URL. Expecting 'v', 'v2', or 'token' parameter as MAC"],
  [problems.macEncoding, 403, 'Invalid MAC encoding'],
  [problems.invalidMac, 403, 'Invalid MAC'],
  [problems.signatureExpired, 403, 'Signature expired'],
  [problems.invalidToken, 403, 'Invalid token'],
  [disallowedExtension(['a', 'b']), 403, 'Disallowed file extension. Allowed extensions are: .a, .b'],
  [problems.tooLarge, 413, 'Request Entity Too Large'],
  [problems.conflict, 409, 'Conflict'],
  [problems.busy, 503, 'Server busy. Try again later.'],
  [problems.insufficientStorage, 507, 'Insufficient Storage'],
  [problems.internal, 500, 'Internal Server Error'],
];

test('the plain texts are those that clients show and operators search for, word for word', () => {
  for (const [problem, status, text] of texts) {
    const answer = plainTextAnswer(problem);
    assert.deepEqual([answer.status, answer.body], [status, `${text}\n`]);
    assert.deepEqual(valuesOf(answer.fields, 'content-type'), ['text/plain; charset=utf-8']);
  }
});

test('problem details carry the same title (RFC 9457 §3)', () => {
  const answer = problemJsonAnswer(problems.invalidMac, { offset: 5, status: 7 });
  assert.equal(answer.status, 403);
  assert.deepEqual(valuesOf(answer.fields, 'content-type'), ['application/problem+json']);
  assert.deepEqual(JSON.parse(String(answer.body)), {
    type: 'tag:hmac-file-server,2025:invalid-mac',
    title: 'Invalid MAC',
    status: 403,
    offset: 5,
  });
  const detailed = JSON.parse(String(problemJsonAnswer(problems.sizeMismatch).body)) as { detail?: string };
  assert.equal(detailed.detail, problems.sizeMismatch.detail);
});

test('A49, A53: every error is readable from every origin, never sniffed, never a document', () => {
  for (const problem of catalogue) {
    for (const { fields } of [plainTextAnswer(problem), problemJsonAnswer(problem)]) {
      assert.deepEqual(valuesOf(fields, 'access-control-allow-origin'), ['*']);
      assert.deepEqual(valuesOf(fields, 'access-control-allow-credentials'), []);
      assert.deepEqual(valuesOf(fields, 'x-content-type-options'), ['nosniff']);
      assert.deepEqual(valuesOf(fields, 'content-security-policy'), [
        "default-src 'none'; frame-ancestors 'none'; sandbox",
      ]);
      assert.deepEqual(valuesOf(fields, 'cache-control'), ['no-store']);
    }
  }
});

test('every field of every answer passes the guard, once, and every status has its line', () => {
  for (const problem of catalogue) {
    const { fields, status } = plainTextAnswer(problem);
    for (const [name, value] of fields) safeField(name, value);
    assert.equal(new Set(fields.map(([name]) => name.toLowerCase())).size, fields.length);
    assert.ok(statusLine(status).startsWith(String(status)));
  }
  for (const [name, value] of [...commonFields, ...preflightFields]) safeField(name, value);
});

test('says when to come back, what is allowed, how long the file is, and that the connection closes', () => {
  const fieldOf = (problem: Problem, name: string): readonly string[] =>
    valuesOf(plainTextAnswer(problem).fields, name);
  assert.deepEqual(fieldOf(problems.busy, 'retry-after'), ['5']);
  assert.deepEqual(fieldOf(problems.unavailable, 'retry-after'), ['10']);
  assert.deepEqual(fieldOf(methodNotAllowed(['GET', 'HEAD', 'PUT']), 'allow'), ['GET, HEAD, PUT']);
  assert.deepEqual(fieldOf(rangeNotSatisfiable(12), 'content-range'), ['bytes */12']);
  assert.deepEqual(fieldOf(problems.doubtfulFraming, 'connection'), ['close']);
  assert.deepEqual(fieldOf(problems.badRequest, 'connection'), []);
});

test('every failure of a worker has its answer', () => {
  const statuses = Object.fromEntries(Object.entries(storageProblems).map(([code, problem]) => [code, problem.status]));
  assert.deepEqual(statuses, {
    'signature-mismatch': 403,
    exists: 409,
    'path-conflict': 409,
    'not-found': 404,
    'no-space': 507,
    'over-quota': 413,
    'too-large': 413,
    'size-mismatch': 400,
    'digest-mismatch': 400,
    'store-unavailable': 503,
    'too-many-files': 503,
    overloaded: 503,
    denied: 500,
    io: 500,
    'worker-lost': 500,
  });
  assert.equal(storageProblems['signature-mismatch'].title, 'Invalid MAC');
});

test('a thrown problem keeps its data and its cause', () => {
  const cause = new Error('EIO');
  const error = new HttpProblem(problems.internal, { cause });
  assert.equal(error.name, 'HttpProblem');
  assert.equal(error.message, 'Internal Server Error');
  assert.equal(error.problem, problems.internal);
  assert.equal(error.cause, cause);
});

test('a preflight allows every method and field that clients use, for a day', () => {
  const listOf = (name: string): readonly string[] => valuesOf(preflightFields, name)[0]?.split(', ') ?? [];
  assert.deepEqual(listOf('access-control-allow-methods'), 'OPTIONS GET HEAD PUT POST PATCH DELETE'.split(' '));
  assert.deepEqual(listOf('access-control-max-age'), ['86400']);
  const allowed = listOf('access-control-allow-headers');
  for (const name of ['Authorization', 'Content-Type', 'Range', 'Upload-Offset', 'Tus-Resumable']) {
    assert.ok(allowed.includes(name), name);
  }
  assert.equal(new Set(allowed).size, allowed.length);
  const exposed = valuesOf(commonFields, 'access-control-expose-headers')[0]?.split(', ') ?? [];
  for (const name of ['Content-Range', 'Accept-Ranges', 'Content-Length', 'ETag', 'Location']) {
    assert.ok(exposed.includes(name), name);
  }
  assert.deepEqual([allowed.length, exposed.length], [25, 26]);
});
