/** The slot table: a number for each thing, and no number twice. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SlotTable } from '../../src/shared/slot-table.ts';

test('finds what was taken in by its ticket, a positive integer, until it is out', () => {
  const table = new SlotTable<string>();
  const [first, second] = [table.add('a'), table.add('b')];
  assert.ok(Number.isSafeInteger(first) && first > 0 && second > 0 && first !== second);
  assert.deepEqual([table.get(first), table.get(second), table.size], ['a', 'b', 2]);
  table.remove(first);
  assert.deepEqual([table.get(first), table.get(second), table.size], [undefined, 'b', 1]);
});

test('a ticket that is used up finds nothing and removes nothing, also when its slot is used again', () => {
  const table = new SlotTable<string>();
  const old = table.add('a');
  table.remove(old);
  const present = table.add('b');
  assert.notEqual(present, old);
  table.remove(old);
  assert.deepEqual([table.get(old), table.get(present), table.size], [undefined, 'b', 1]);
});

test('does what a map does, whatever comes and goes in whatever order', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 300 }), (steps) => {
      const table = new SlotTable<number>();
      const model = new Map<number, number>();
      const issued = new Set<number>();
      for (const [index, step] of steps.entries()) {
        const present = [...model.keys()][step];
        if (step < 5 || present === undefined) {
          const ticket = table.add(index);
          assert.ok(!issued.has(ticket));
          issued.add(ticket);
          model.set(ticket, index);
        } else {
          table.remove(present);
          model.delete(present);
        }
        assert.equal(table.size, model.size);
      }
      assert.deepEqual([...table].toSorted(), [...model.values()].toSorted());
      for (const ticket of issued) assert.equal(table.get(ticket), model.get(ticket));
      table.clear();
      assert.deepEqual([...table], []);
      for (const ticket of issued) assert.equal(table.get(ticket), undefined);
    }),
  );
});
