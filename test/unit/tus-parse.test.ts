/** Requests of tus 1.0.0 as commands: what is asked for, and everything that is refused before anybody is asked. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { createTus } from '../../src/main/upload/tus.ts';
import type { ParsedUpload } from '../../src/main/upload/upload-protocol.ts';
import type { CreateUpload, ResumableCommand } from '../../src/shared/resumable.ts';
import { signV, signV2 } from '../support/sign.ts';
import { type SlotServer, slotServer } from '../support/slot-decision.ts';
import { BASE_PATH, type Lines, RESOURCE, RESOURCE_PATH, uploadRequest } from '../support/upload-request.ts';

const SECRET = 'secret';
const SIZE = 1000;
const slot = `${BASE_PATH}a/b.bin?v=${signV(SECRET, 'a/b.bin', SIZE)}`;
const slotWithSize = `${slot}&s=${SIZE}`;
const version = ['Tus-Resumable', '1.0.0'] as const;
const stream = ['Content-Type', 'application/offset+octet-stream'] as const;
const sha1 = createHash('sha1').update('body').digest('base64');

function parse(method: string, target: string, lines: Lines, settings: Partial<SlotServer> = {}): ParsedUpload {
  const tus = createTus(() => slotServer(settings), { basePath: BASE_PATH, publicOrigin: null });
  const request = uploadRequest(method, target, [version, ...lines]);
  assert.equal(tus.recognizes(request), true);
  return tus.parse(request);
}

function statusOf(parsed: ParsedUpload): number {
  return parsed.kind === 'refused' ? parsed.problem.status : 0;
}

function commandOf(parsed: ParsedUpload): ResumableCommand {
  assert.ok(parsed.kind === 'command' && parsed.command.type === 'resumable', `refused with ${statusOf(parsed)}`);
  return parsed.command.command;
}

function creation(lines: Lines, target = slot): CreateUpload {
  const command = commandOf(parse('POST', target, lines));
  assert.ok(command.type === 'create');
  return command;
}

test('recognizes POST on a slot and everything on an upload, with Tus-Resumable of whatever version', () => {
  const tus = createTus(() => slotServer(), { basePath: BASE_PATH, publicOrigin: null });
  const requests: readonly (readonly [method: string, target: string, lines: Lines, isTus: boolean])[] = [
    ['POST', slot, [version], true],
    ['POST', slot, [['Tus-Resumable', '0.2.2']], true],
    ['POST', slot, [], false],
    ['PUT', slot, [version], false],
    ['PATCH', slot, [version], false],
    ['PATCH', RESOURCE_PATH, [version], true],
    ['HEAD', RESOURCE_PATH, [version], true],
    ['GET', RESOURCE_PATH, [version], true],
    ['PATCH', RESOURCE_PATH, [['Upload-Offset', '0']], false],
  ];
  for (const [method, target, lines, isTus] of requests) {
    assert.equal(tus.recognizes(uploadRequest(method, target, lines)), isTus, `${method} ${target}`);
  }
});

test('T-V1 to T-V5 another version is 412 with the one that is spoken', () => {
  const tus = createTus(() => slotServer(), { basePath: BASE_PATH, publicOrigin: null });
  for (const [method, target] of [
    ['POST', slot],
    ['PATCH', RESOURCE_PATH],
    ['HEAD', RESOURCE_PATH],
  ] as const) {
    for (const lines of [[['Tus-Resumable', '0.2.2']], [['Tus-Resumable', '']], [version, version]] as Lines[]) {
      const parsed = tus.parse(uploadRequest(method, target, lines));
      assert.equal(statusOf(parsed), 412, method);
      assert.ok(parsed.kind === 'refused');
      assert.deepEqual(parsed.problem.fields, [['Tus-Version', '1.0.0']]);
    }
  }
});

test('T-C1 a creation asks for an empty upload of the declared, signed length', () => {
  const { signature, ...command } = creation([
    ['Upload-Length', '1000'],
    ['Upload-Metadata', 'filename YQ=='],
  ]);
  assert.equal(signature.messages[0]?.text, 'a/b.bin 1000');
  assert.deepEqual(command, {
    type: 'create',
    protocol: 'tus',
    key: 'a/b.bin',
    length: SIZE,
    maxLength: SIZE,
    signedLength: SIZE,
    metadata: 'filename YQ==',
    concatenation: null,
    digests: [],
    terms: { usableUntilMs: null, expiresAtMs: null, owner: null },
    body: null,
  });
});

test('T-C4 to T-C8, T-C13, T-C14, T-C19 what contradicts itself or is malformed is refused', () => {
  const length = (value: string): Lines => [['Upload-Length', value]];
  const refusals: readonly (readonly [lines: Lines, status: number])[] = [
    [[], 400],
    ...['-1', 'abc', '1e3', '0x10', '1.0', '+5', '9'.repeat(40), ''].map((value) => [length(value), 400] as const),
    [[...length('1000'), ['Upload-Defer-Length', '1']], 400],
    [[['Upload-Defer-Length', '2']], 400],
    [[['Upload-Defer-Length', '']], 400],
    [[...length('1000'), ...length('1000')], 400],
    [length('9007199254740993'), 413],
    [[...length('1000'), ['Upload-Metadata', 'filename !!!']], 400],
    [[...length('1000'), ['Upload-Metadata', 'a YQ==,a YQ==']], 400],
    [[...length('1000'), ['Upload-Checksum', 'crc32 AAAA']], 400],
    [[...length('1000'), ['Upload-Concat', 'junk']], 400],
    [[...length('1000'), ['Upload-Concat', `final;${RESOURCE_PATH}`]], 400],
    [
      [
        ['Upload-Defer-Length', '1'],
        ['Upload-Concat', `final;${RESOURCE_PATH}`],
      ],
      400,
    ],
    [[['Upload-Concat', `final;${RESOURCE_PATH}`], stream, ['Content-Length', '5']], 400],
  ];
  for (const [lines, status] of refusals) {
    assert.equal(statusOf(parse('POST', slot, lines)), status, JSON.stringify(lines));
  }
  assert.equal(statusOf(parse('POST', slot, length('1000'), { maxUploadBytes: 999 })), 413);
});

test('an unsigned creation is 403, and what is wrong with the request itself comes first', () => {
  const target = `${BASE_PATH}a/b.bin`;
  assert.equal(statusOf(parse('POST', target, [['Upload-Length', '1000']])), 403);
  assert.equal(statusOf(parse('POST', target, [['Upload-Length', 'x']])), 400);
  assert.equal(statusOf(parse('POST', `${slot}&s=999`, [['Upload-Length', '1000']])), 403);
});

test('T-C17, T-C18, T-W3 an empty body is none, whatever its type; a body of another type is 415', () => {
  const length = ['Upload-Length', '1000'] as const;
  assert.equal(creation([length, ['Content-Type', 'text/plain'], ['Content-Length', '0']]).body, null);
  assert.equal(creation([length]).body, null);
  for (const framing of [['Content-Length', '3'] as const, ['Transfer-Encoding', 'chunked'] as const]) {
    assert.equal(statusOf(parse('POST', slot, [length, framing, ['Content-Type', 'text/plain']])), 415);
    assert.equal(statusOf(parse('POST', slot, [length, framing])), 415);
  }
});

test('T-W1, T-W4, T-W7 a creation takes a body that is not longer than the upload', () => {
  const length = ['Upload-Length', '1000'] as const;
  const body = { length: 1000, digests: [], completes: null };
  assert.deepEqual(creation([length, stream, ['Content-Length', '1000']]).body, body);
  assert.deepEqual(creation([length, stream, ['Transfer-Encoding', 'chunked']]).body, { ...body, length: null });
  assert.equal(statusOf(parse('POST', slot, [length, stream, ['Content-Length', '1001']])), 413);
  const digests = [{ algorithm: 'sha1', value: sha1 }];
  const summed: Lines = [length, stream, ['Content-Length', '4'], ['Upload-Checksum', `sha1 ${sha1}`]];
  assert.deepEqual(creation(summed).body, { length: 4, digests, completes: null });
});

test('digests of HTTP are those of the body and of the file; a malformed one is 400 (RFC 9530)', () => {
  const sha256 = createHash('sha256').update('body').digest('base64');
  const length = ['Upload-Length', '1000'] as const;
  const sums: Lines = [
    ['Content-Digest', `sha-256=:${sha256}:`],
    ['Repr-Digest', `sha-256=:${sha256}:`],
  ];
  const { body, digests } = creation([length, stream, ['Content-Length', '4'], ...sums]);
  const expected = [{ algorithm: 'sha256', value: sha256 }];
  assert.deepEqual([body?.digests, digests], [expected, expected]);
  for (const name of ['Content-Digest', 'Repr-Digest']) {
    assert.equal(statusOf(parse('POST', slot, [length, [name, 'sha-256=x']])), 400, name);
  }
});

test('T-D1 a deferred length needs the size in the signed URL', () => {
  const deferred: Lines = [['Upload-Defer-Length', '1']];
  assert.equal(statusOf(parse('POST', slot, deferred)), 400);
  const { length, maxLength, signedLength } = creation(deferred, slotWithSize);
  assert.deepEqual([length, maxLength, signedLength], [null, SIZE, SIZE]);
});

test('a part is as long as it says, within the signed size; a final upload has the signed one', () => {
  const partial: Lines = [
    ['Upload-Length', '400'],
    ['Upload-Concat', 'partial'],
  ];
  assert.equal(statusOf(parse('POST', slot, partial)), 400);
  const part = creation(partial, slotWithSize);
  assert.deepEqual([part.length, part.maxLength, part.signedLength], [400, SIZE, null]);
  assert.deepEqual(part.concatenation, { kind: 'partial' });
  const text = `final;${RESOURCE_PATH} http://test${RESOURCE_PATH}`;
  const final = creation([['Upload-Concat', text]], slotWithSize);
  assert.deepEqual([final.length, final.maxLength, final.signedLength], [null, SIZE, SIZE]);
  assert.deepEqual(final.concatenation, { kind: 'final', parts: [RESOURCE, RESOURCE], text });
});

test('the type under a v2 signature is the filetype of the metadata, never that of the request', () => {
  const signed = `${BASE_PATH}a?v2=${signV2(SECRET, 'a', 3, 'image/png')}`;
  const filetype = Buffer.from('image/png').toString('base64');
  const { signature } = creation(
    [['Upload-Length', '3'], ['Upload-Metadata', `filetype ${filetype}`], stream, ['Content-Length', '3']],
    signed,
  );
  const texts = signature.messages.map(({ text }) => text);
  assert.ok(texts.includes('a\x003\0image/png'));
  assert.ok(!texts.some((text) => text.includes('offset+octet-stream')));
});

test('T-P1 an append carries offset, length of its body and checksum', () => {
  const lines: Lines = [stream, ['Upload-Offset', '7'], ['Content-Length', '4'], ['Upload-Checksum', `sha1 ${sha1}`]];
  assert.deepEqual(commandOf(parse('PATCH', RESOURCE_PATH, [...lines, ['Upload-Length', '11']])), {
    type: 'append',
    protocol: 'tus',
    target: { kind: 'resource', name: RESOURCE },
    offset: 7,
    length: 11,
    body: { length: 4, digests: [{ algorithm: 'sha1', value: sha1 }], completes: null },
  });
});

test('T-P3 to T-P10 an append of another type is 415, one without a right offset 400', () => {
  const offset = ['Upload-Offset', '0'] as const;
  const types = ['application/octet-stream', 'application/partial-upload', 'text/plain', ''];
  for (const type of types) {
    assert.equal(statusOf(parse('PATCH', RESOURCE_PATH, [offset, ['Content-Type', type]])), 415, type);
  }
  assert.equal(statusOf(parse('PATCH', RESOURCE_PATH, [offset])), 415);
  assert.equal(statusOf(parse('PATCH', RESOURCE_PATH, [stream])), 400);
  for (const value of ['-1', 'abc', '0x0', '0.0', '+0', '0, 0', '']) {
    assert.equal(statusOf(parse('PATCH', RESOURCE_PATH, [stream, ['Upload-Offset', value]])), 400, value);
  }
  assert.equal(statusOf(parse('PATCH', RESOURCE_PATH, [stream, offset, ['Upload-Offset', '1']])), 400);
  assert.equal(statusOf(parse('PATCH', RESOURCE_PATH, [stream, offset, ['Upload-Checksum', 'sha1']])), 400);
});

test('T-P12 an empty append is an append; an offset beyond all numbers is one that does not match', () => {
  const command = commandOf(parse('PATCH', RESOURCE_PATH, [stream, ['Upload-Offset', '9999999999999999999']]));
  assert.ok(command.type === 'append');
  assert.deepEqual(command.body, { length: 0, digests: [], completes: null });
  assert.equal(command.offset, Number.MAX_SAFE_INTEGER);
});

test('HEAD inspects, DELETE discards, and there is nothing else on an upload', () => {
  const target = { kind: 'resource', name: RESOURCE };
  assert.deepEqual(commandOf(parse('HEAD', RESOURCE_PATH, [])), { type: 'inspect', protocol: 'tus', target });
  assert.deepEqual(commandOf(parse('DELETE', RESOURCE_PATH, [])), { type: 'discard', protocol: 'tus', target });
  assert.equal(statusOf(parse('GET', RESOURCE_PATH, [])), 404);
  for (const method of ['PUT', 'POST', 'TRACE', 'patch']) {
    assert.equal(statusOf(parse(method, RESOURCE_PATH, [])), 405, method);
  }
});
