/**
 * The configuration blocks of docs/xmpp.md: what the tests run is what operators are told to write. A block is named
 * behind the language of its fence.
 */

import { programsIn } from '../../support/code-blocks.ts';

/** What stands in the document for things that differ between installations. */
export interface Installation {
  /** `example.org` in the document. */
  readonly domain: string;
  /** `https://files.example.org` in the document. */
  readonly origin: string;
  readonly secret: string;
}

const blocks = programsIn('docs/xmpp.md');

/** The block with this name, for this installation. */
export function documentedBlock(name: string, { domain, origin, secret }: Installation): string {
  const block = blocks.get(name);
  if (block === undefined) throw new Error(`docs/xmpp.md has no block ${name}`);
  for (const text of ['example.org', 'https://files.example.org', '<Secret>']) {
    if (!block.includes(text)) throw new Error(`block ${name} of docs/xmpp.md does not name ${text}`);
  }
  return block
    .replaceAll('https://files.example.org', origin)
    .replaceAll('example.org', domain)
    .replaceAll('<Secret>', secret);
}
