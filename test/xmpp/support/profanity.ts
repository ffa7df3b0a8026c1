/** profanity as a client: a person at its terminal sends files to a contact (profanity-client.py). */

import { join } from 'node:path';
import { projectRoot } from '../../support/project-root.ts';
import { runClient } from './run-client.ts';
import { requireProgram } from './unprivileged.ts';
import type { Account } from './xmpp-server.ts';

const PYTHON = '/usr/bin/python3';
const SCRIPT = join(projectRoot, 'test/xmpp/support/profanity-client.py');

/** Sends one file after the other, whose paths have no quotes; answers the URLs that the contact is sent. */
export async function sendFilesTo(
  contact: string,
  account: Account,
  files: readonly string[],
): Promise<readonly string[]> {
  requireProgram('profanity', 'profanity');
  const order = JSON.stringify({ ...account, contact, files });
  return JSON.parse(await runClient({ command: [PYTHON, SCRIPT], debianPackage: 'python3' }, order)) as string[];
}
