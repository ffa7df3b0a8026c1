/**
 * Response fields as one block of text. Each call into native code costs more than a short line, so all fields go out in
 * one; every one of them is checked first, because the transport writes bytes as they are. Blocks of frozen fields are
 * kept, since those are sent again and again.
 */

import type { ResponseFields } from '../http/field-line.ts';
import { safeField } from '../http/fields.ts';

export interface FieldBlock {
  /** Name of the first field; null: there are no fields. */
  readonly name: string | null;
  /** Value of the first field, and all other lines behind it. */
  readonly value: Uint8Array | string;
  /** Connection is no field of ours to repeat: the exchange decides, and this is the wish. */
  readonly closes: boolean;
}

const kept = new WeakMap<ResponseFields, FieldBlock>();

/**
 * Renders fields for one call of `writeHeader`.
 * @throws TypeError for a field that must not reach the wire.
 */
export function fieldBlock(fields: ResponseFields): FieldBlock {
  if (!Object.isFrozen(fields)) return render(fields);
  const known = kept.get(fields);
  if (known !== undefined) return known;
  const { name, value, closes } = render(fields);
  const block = { name, value: Buffer.from(value, 'latin1'), closes };
  kept.set(fields, block);
  return block;
}

function render(fields: ResponseFields): { name: string | null; value: string; closes: boolean } {
  let first: string | null = null;
  let text = '';
  let closes = false;
  for (const [name, value] of fields) {
    safeField(name, value);
    if (name === 'Connection') closes = true;
    else if (first === null) {
      first = name;
      text = value;
    } else text += `\r\n${name}: ${value}`;
  }
  return { name: first, value: text, closes };
}
