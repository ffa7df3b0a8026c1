/** PUT with Content-Range as commands and answers; what is stored stands in the tests of the wire. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createContentRangePut } from '../../src/main/upload/content-range-put.ts';
import { createPlainPut } from '../../src/main/upload/plain-put.ts';
import type { ParsedUpload } from '../../src/main/upload/upload-protocol.ts';
import type { ResumableCommand } from '../../src/shared/resumable.ts';
import { slotServer } from '../support/slot-decision.ts';
import { type Lines, uploadRequest } from '../support/upload-request.ts';
import { completeState, done, earlyRefusal, refusalOf, uploadState } from '../support/upload-state.ts';

const TARGET = `/files/a.bin?v=${'0'.repeat(64)}`;
const range = createContentRangePut(() => slotServer());
const plain = createPlainPut(() => slotServer());

function part(contentRange: string, length: number, others: Lines = []): ReturnType<typeof uploadRequest> {
  return uploadRequest('PUT', TARGET, [['Content-Range', contentRange], ['Content-Length', String(length)], ...others]);
}

const firstPart = part('bytes 0-299/1000', 300);
const query = part('bytes */1000', 0);

function commandOf(parsed: ParsedUpload): ResumableCommand {
  assert.ok(parsed.kind === 'command' && parsed.command.type === 'resumable', JSON.stringify(parsed));
  return parsed.command.command;
}

function refusedWith(parsed: ParsedUpload): number {
  return parsed.kind === 'refused' ? parsed.problem.status : 0;
}

test('recognizes PUT with a Content-Range that is not the whole body', () => {
  assert.equal(range.recognizes(firstPart), true);
  assert.equal(range.recognizes(query), true);
  assert.equal(range.recognizes(part('items 0-9/10', 10)), true);
  assert.equal(range.recognizes(part('bytes 0-9/10', 10)), false);
  assert.equal(range.recognizes(uploadRequest('PUT', TARGET, [['Content-Length', '10']])), false);
  assert.equal(
    range.recognizes(
      uploadRequest(
        'POST',
        TARGET,
        firstPart.head.fields.map(({ name, value }) => [name, value]),
      ),
    ),
    false,
  );
});

test('P-6 the range that is the whole body is a plain PUT', () => {
  for (const [contentRange, length] of [
    ['bytes 0-999/1000', 1000],
    ['bytes 0--1/0', 0],
  ] as const) {
    const parsed = plain.parse(part(contentRange, length));
    assert.ok(parsed.kind === 'command' && parsed.command.type === 'store');
    assert.equal(parsed.command.grant.sizeBytes, length);
  }
});

test('a part is an append on the slot under a signature that covers the total', () => {
  const command = commandOf(range.parse(part('bytes 300-999/1000', 700)));
  assert.ok(command.type === 'append' && command.target.kind === 'slot');
  assert.deepEqual(
    [command.offset, command.length, command.body],
    [300, 1000, { length: 700, digests: [], completes: null }],
  );
  assert.deepEqual(
    command.target.signature.messages.map(({ text }) => text),
    ['a.bin 1000'],
  );
});

test('a query inspects the slot under the same signature', () => {
  const command = commandOf(range.parse(query));
  assert.ok(command.type === 'inspect' && command.target.kind === 'slot');
  assert.deepEqual(
    command.target.signature.messages.map(({ text }) => text),
    ['a.bin 1000'],
  );
});

test('digests over the part go with it', () => {
  const value = createHash('sha256').update('').digest('base64');
  const command = commandOf(range.parse(part('bytes 0-299/1000', 300, [['Content-Digest', `sha-256=:${value}:`]])));
  assert.ok(command.type === 'append');
  assert.deepEqual(command.body.digests, [{ algorithm: 'sha256', value }]);
  assert.equal(refusedWith(range.parse(part('bytes 0-299/1000', 300, [['Content-Digest', 'sha-256=1']]))), 400);
});

test('P-5, P-12, P-13 what is no part of a whole, or not as long as it says, is 400', () => {
  const table: readonly (readonly [contentRange: string, length: number])[] = [
    ['items 0-9/10', 10],
    ['bytes 300-298/299', 0],
    ['bytes 0-99/50', 100],
    ['bytes 0-9', 10],
    ['bytes -5/10', 5],
    ['bytes 0-9/abc', 10],
    ['bytes 0-9/20', 11],
    ['bytes 0-9/20', 9],
    ['bytes 300-699/1000', 1000],
    ['bytes */1000', 1],
  ];
  for (const [contentRange, length] of table) {
    assert.equal(refusedWith(range.parse(part(contentRange, length))), 400, contentRange);
  }
  const twice = uploadRequest('PUT', TARGET, [
    ['Content-Range', 'bytes 0-9/20'],
    ['Content-Range', 'bytes 0-9/20'],
    ['Content-Length', '10'],
  ]);
  assert.equal(range.recognizes(twice), true);
  assert.equal(refusedWith(range.parse(twice)), 400);
  const chunked = uploadRequest('PUT', TARGET, [
    ['Content-Range', 'bytes 0-9/20'],
    ['Transfer-Encoding', 'chunked'],
  ]);
  assert.equal(refusedWith(range.parse(chunked)), 400);
});

test('an unsigned part is 403, and another size in the URL than the total as well', () => {
  const lines: Lines = [
    ['Content-Range', 'bytes 0-9/20'],
    ['Content-Length', '10'],
  ];
  assert.equal(refusedWith(range.parse(uploadRequest('PUT', '/files/a.bin', lines))), 403);
  assert.equal(refusedWith(range.parse(uploadRequest('PUT', `${TARGET}&s=21`, lines))), 403);
  assert.equal(refusedWith(range.parse(uploadRequest('PUT', `${TARGET}&s=20`, lines))), 0);
});

test('answers 308 with what is there, 201 for the last part, 200 to a query of a whole file', () => {
  const append = commandOf(range.parse(firstPart));
  const inspect = commandOf(range.parse(query));
  const at = (offset: number) => uploadState({ protocol: 'range', offset });
  const whole = completeState({ protocol: 'range' });
  const table = [
    [range.respond(done(append, at(300)), firstPart), 308, 'bytes=0-299'],
    [range.respond(done(append, whole), firstPart), 201, null],
    [range.respond(done(inspect, at(1)), query), 308, 'bytes=0-0'],
    [range.respond(done(inspect, at(0)), query), 308, null],
    [range.respond(done(inspect, whole), query), 200, null],
    [range.respond(done(inspect, at(300)), part('bytes */999', 0)), 409, 'bytes=0-299'],
    // A query that published what a crash had left whole.
    [range.respond(done(inspect, whole, true), query), 200, null],
    [range.respond(done(append, whole, true), firstPart), 201, null],
    [range.reject(refusalOf('upload-unknown'), query), 308, null],
    [range.reject(refusalOf('exists'), query), 200, null],
    [range.reject(refusalOf('exists'), firstPart), 409, null],
    [range.reject(refusalOf('offset-mismatch', at(500)), firstPart), 409, 'bytes=0-499'],
    [range.reject(refusalOf('offset-mismatch'), firstPart), 409, null],
    [range.reject(refusalOf('length-mismatch', at(500)), firstPart), 409, 'bytes=0-499'],
    [range.reject(refusalOf('upload-protocol', uploadState({ protocol: 'tus' })), firstPart), 409, null],
    [range.reject(refusalOf('signature-mismatch'), firstPart), 403, null],
    [range.reject(refusalOf('no-space'), firstPart), 507, null],
    [range.reject(earlyRefusal, firstPart), 400, null],
  ] as const;
  for (const [index, [answer, status, rangeValue]] of table.entries()) {
    const field = answer.fields.find(([name]) => name === 'Range')?.[1] ?? null;
    assert.deepEqual([answer.status, field], [status, rangeValue], `row ${index}`);
    assert.ok(!answer.fields.some(([name]) => name === 'Location'), `row ${index}`);
  }
});

test('a plain PUT that says that it is a part is never stored as the whole', () => {
  const table: readonly (readonly [lines: Lines, status: number])[] = [
    [[['Upload-Complete', '?0']], 400],
    [[['Upload-Complete', '?0;x']], 400],
    [[['Upload-Incomplete', '?1']], 400],
    [
      [
        ['Upload-Complete', '?1'],
        ['Upload-Complete', '?1'],
      ],
      400,
    ],
    [[['Content-Range', 'bytes 0-1/3']], 400],
    [
      [
        ['Content-Range', 'bytes 0-2/3'],
        ['Content-Range', 'bytes 0-2/3'],
      ],
      400,
    ],
    [[['Repr-Digest', 'sha-256=1']], 400],
    [[['Upload-Complete', '?1']], 0],
    [[['Upload-Complete', 'true']], 0],
    [
      [
        ['Upload-Incomplete', '?0'],
        ['Upload-Draft-Interop-Version', '3'],
      ],
      0,
    ],
    [[['Content-Range', 'bytes 0-2/3']], 0],
  ];
  for (const [lines, status] of table) {
    const request = uploadRequest('PUT', TARGET, [['Content-Length', '3'], ...lines]);
    assert.equal(refusedWith(plain.parse(request)), status, JSON.stringify(lines));
  }
});
