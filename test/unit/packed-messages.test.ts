/** Messages between threads as they cross: nothing is lost, and what is packed carries no names. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import fc from 'fast-check';
import type { FileInfo, FileKey } from '../../src/shared/files.ts';
import type { FromLane, ToLane } from '../../src/shared/messages.ts';
import { packFromLane, packToLane, unpackFromLane, unpackToLane } from '../../src/shared/packed-messages.ts';
import type { SignedMessage } from '../../src/shared/signature.ts';

const text = fc.string({ unit: 'binary' });
const count = fc.nat();
const orNull = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary);
const key = text.map((path) => path as FileKey);
const buffer = fc.uint8Array().map((bytes) => Uint8Array.from(bytes).buffer);
const file: fc.Arbitrary<FileInfo> = fc.record({
  size: count,
  modifiedMs: count,
  validator: text,
  type: orNull(text),
  sha256: orNull(text),
});
const reading: fc.Arbitrary<SignedMessage> = fc.record({ text, storedType: orNull(text) });

const toLane: fc.Arbitrary<ToLane> = fc.oneof(
  fc.record({
    type: fc.constant('upload.open' as const),
    transfer: count,
    uploadId: text,
    key,
    size: count,
    digests: fc.array(fc.record({ algorithm: fc.constantFrom('sha256', 'md5'), value: text })),
    keepVersions: orNull(count),
    isResumable: fc.boolean(),
    signature: fc.record({
      scheme: fc.constantFrom('v', 'v2', 'jwt'),
      mac: text,
      messages: fc.tuple(reading, fc.array(reading)).map(([first, others]) => [first, ...others] as const),
    }),
    terms: fc.record({ usableUntilMs: orNull(count), expiresAtMs: orNull(count), owner: orNull(text) }),
    piece: orNull(fc.record({ buffer, length: count, isLast: fc.boolean() })),
  }),
  fc.record({
    type: fc.constant('download.open' as const),
    transfer: count,
    key,
    offset: count,
    buffer: orNull(buffer),
  }),
  fc.record({ type: fc.constant('upload.abort' as const), transfer: count }),
);

const fromLane: fc.Arbitrary<FromLane> = fc.oneof(
  fc.record({
    type: fc.constant('upload.stored' as const),
    transfer: count,
    file: fc.record({ size: count, sha256: orNull(text) }),
    replaced: orNull(fc.record({ versionId: orNull(text), size: count, removedVersions: fc.array(text) })),
    verified: fc.record({ fileId: text, secret: fc.constantFrom('current', 'previous') }),
    buffer,
  }),
  fc.record({
    type: fc.constant('download.opened' as const),
    transfer: count,
    file,
    fileId: text,
    expiresMs: orNull(count),
    isAtOwnPath: fc.boolean(),
    buffer: orNull(buffer),
    length: count,
    isOpen: fc.boolean(),
  }),
  fc.record({ type: fc.constant('upload.written' as const), transfer: count, buffer }),
);

/** As it arrives at another thread. */
function crossed<T>(message: T): T {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(message);
  const arrived = receiveMessageOnPort(port2);
  port1.close();
  return arrived?.message;
}

test('a message to a lane arrives as it was sent', () => {
  fc.assert(
    fc.property(toLane, (message) => assert.deepEqual(unpackToLane(crossed(packToLane(message))), crossed(message))),
  );
});

test('a message from a lane arrives as it was sent', () => {
  fc.assert(
    fc.property(fromLane, (message) =>
      assert.deepEqual(unpackFromLane(crossed(packFromLane(message))), crossed(message)),
    ),
  );
});

test('what is said once for each small transfer crosses as a list, all else as it is', () => {
  const listed = ['upload.open', 'download.open', 'upload.stored', 'download.opened'];
  fc.assert(
    fc.property(toLane, fromLane, (to, from) => {
      assert.equal(Array.isArray(packToLane(to)), listed.includes(to.type));
      assert.equal(Array.isArray(packFromLane(from)), listed.includes(from.type));
    }),
  );
});
