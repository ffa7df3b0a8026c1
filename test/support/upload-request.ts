/** Upload requests as translators get them, without a server: a head, a method and a target made of a few words. */

import { parseRequestTarget } from '../../src/main/auth/request-target.ts';
import { parseSlotQuery } from '../../src/main/auth/slot-parameters.ts';
import type { FieldLine } from '../../src/main/http/field-line.ts';
import { readFraming } from '../../src/main/http/framing.ts';
import { parseResourceName } from '../../src/main/upload/resource-url.ts';
import type { UploadRequest } from '../../src/main/upload/upload-protocol.ts';

export const BASE_PATH = '/files/';
export const RESOURCE = { id: '0123456789abcdef0123456789abcdef', mac: 'AZaz09-_AZaz09-_AZaz09' };
export const RESOURCE_PATH = `${BASE_PATH}.hfs/u/${RESOURCE.id}.${RESOURCE.mac}`;

/** Field lines as pairs: names in any case, as often as wanted. */
export type Lines = readonly (readonly [name: string, value: string])[];

/** A request for a target below `/files/`, its query included; Host is `test`. */
export function uploadRequest(method: string, target: string, lines: Lines = []): UploadRequest {
  const [path = '', query = null] = target.split('?');
  const fields: FieldLine[] = [['Host', 'test'] as const, ...lines].map(([name, value]) => ({
    name: name.toLowerCase(),
    value,
  }));
  const head = { method, path, query, fields, framing: readFraming(fields) };
  return { head, method, target: targetOf(path, query), nowSeconds: 0 };
}

function targetOf(path: string, query: string | null): UploadRequest['target'] {
  const target = parseRequestTarget(path, BASE_PATH);
  const slot = parseSlotQuery(query);
  if (target.kind === 'file' && slot.kind === 'parameters') {
    return { kind: 'slot', key: target.key, parameters: slot.parameters };
  }
  const name = target.kind === 'upload-resource' ? parseResourceName(target.name) : null;
  if (name === null) throw new Error(`no target of an upload: ${path}`);
  return { kind: 'resource', name };
}
