/** How long clients may take nothing: alone a minute, in a crowd ten seconds. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Reader, type ReaderCrowd, StalledReaders } from '../../src/main/uws/stalled-readers.ts';

const SECOND = 1_000;
const USUAL = 60 * SECOND;
const SHORT = 10 * SECOND;
const OF_CLIENT = 16;
const IN_ALL = 256;

function reader(address: string, isFromProxyItself = false): Reader {
  return { lookUpRemote: () => address, isFromProxyItself };
}

function many(count: number, addressOf: (index: number) => string): readonly Reader[] {
  return Array.from({ length: count }, (_, index) => reader(addressOf(index)));
}

function fresh(onCrowd: (crowd: ReaderCrowd) => void = () => {}): StalledReaders {
  return new StalledReaders(StalledReaders.allocate(1), 0, onCrowd);
}

/** The patience with each, when all have stood still for so long. */
function ask(readers: StalledReaders, those: readonly Reader[], stillMs: number): ReadonlySet<number> {
  for (const one of those) readers.patienceWith(one, stillMs);
  return new Set(those.map((one) => readers.patienceWith(one, stillMs)));
}

test('as many readers as one client may have stand still for a minute', () => {
  const readers = fresh();
  assert.deepEqual(
    ask(
      readers,
      many(OF_CLIENT, () => '192.0.2.1'),
      59 * SECOND,
    ),
    new Set([USUAL]),
  );
});

test('one more, and all of them have ten seconds', () => {
  const readers = fresh();
  assert.deepEqual(
    ask(
      readers,
      many(OF_CLIENT + 1, () => '192.0.2.1'),
      5 * SECOND,
    ),
    new Set([SHORT]),
  );
});

test('a client of IPv6 is its /64', () => {
  const own = many(OF_CLIENT + 1, (index) => `2001:db8:1:2::${index + 1}`);
  assert.deepEqual(ask(fresh(), own, 5 * SECOND), new Set([SHORT]));
  const apart = many(OF_CLIENT + 1, (index) => `2001:db8:1:${index + 1}::1`);
  assert.deepEqual(ask(fresh(), apart, 5 * SECOND), new Set([USUAL]));
});

test('who has taken something in the last five seconds does not stand still', () => {
  const readers = fresh();
  const moving = many(1_000, () => '192.0.2.1');
  assert.deepEqual(ask(readers, moving, 4_999), new Set([USUAL]));
  assert.equal(readers.patienceWith(reader('192.0.2.1'), 20 * SECOND), USUAL);
});

test('all of a crowd go, the last ones too, unless they take something', () => {
  const readers = fresh();
  const crowd = many(OF_CLIENT + 1, () => '192.0.2.1');
  ask(readers, crowd, 5 * SECOND);
  const [honest, ...others] = crowd;
  assert.ok(honest !== undefined);
  for (const gone of others.slice(1)) readers.forget(gone);
  assert.deepEqual(ask(readers, others.slice(0, 1), 10 * SECOND), new Set([SHORT]));
  assert.equal(readers.patienceWith(honest, SECOND), USUAL);
  assert.equal(readers.patienceWith(honest, 9 * SECOND), USUAL);
});

test('the crowd of one client hurries nobody else, however large it is', () => {
  const readers = fresh();
  ask(
    readers,
    many(10_000, () => '192.0.2.1'),
    8 * SECOND,
  );
  assert.deepEqual(
    ask(
      readers,
      many(OF_CLIENT, () => '192.0.2.2'),
      50 * SECOND,
    ),
    new Set([USUAL]),
  );
});

test('more than may stand still in all have ten seconds, whoever they are', () => {
  const readers = fresh();
  const first = many(IN_ALL, (index) => `192.0.2.${index}`);
  assert.deepEqual(ask(readers, first, 5 * SECOND), new Set([USUAL]));
  const proxy = reader('198.51.100.1', true);
  assert.deepEqual(ask(readers, [...first, proxy], 6 * SECOND), new Set([SHORT]));
});

test('a proxy that names nobody, or a peer without an address, is not taken for one client', () => {
  const readers = fresh();
  const proxied = Array.from({ length: 100 }, () => reader('198.51.100.1', true));
  const local = many(100, () => '');
  assert.deepEqual(ask(readers, [...proxied, ...local], 50 * SECOND), new Set([USUAL]));
});

test('all data planes count together, and one that is gone counts no more', () => {
  const memory = StalledReaders.allocate(2);
  const [first, second] = [new StalledReaders(memory, 0, () => {}), new StalledReaders(memory, 1, () => {})];
  ask(
    first,
    many(OF_CLIENT, () => '192.0.2.1'),
    8 * SECOND,
  );
  assert.equal(second.patienceWith(reader('192.0.2.1'), 8 * SECOND), SHORT);
  StalledReaders.forgetPlane(memory, 0);
  assert.equal(second.patienceWith(reader('192.0.2.1'), 8 * SECOND), USUAL);
});

test('a crowd is told of once, when the first of it is let go, and the next one again', () => {
  const memory = StalledReaders.allocate(2);
  const crowds: ReaderCrowd[] = [];
  const planes = [0, 1].map((plane) => new StalledReaders(memory, plane, (crowd) => crowds.push(crowd)));
  const members = many(100, () => '192.0.2.1');
  const all = (act: (plane: StalledReaders, member: Reader) => void): void => {
    for (const [index, member] of members.entries()) {
      const plane = planes[index % 2];
      if (plane !== undefined) act(plane, member);
    }
  };
  const stand = (seconds: number): void => {
    for (let second = 5; second <= seconds; second += 1) all((plane, one) => plane.patienceWith(one, second * SECOND));
  };
  stand(10);
  assert.deepEqual(crowds, [], 'nobody was let go');
  stand(12);
  const seen = { client: '192.0.2.1', readers: members.length, limit: OF_CLIENT };
  assert.deepEqual(crowds, [seen]);
  all((plane, member) => plane.forget(member));
  stand(12);
  assert.deepEqual(crowds, [seen, seen]);
});
