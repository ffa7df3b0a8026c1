/** Uploads through a real ejabberd, whose mod_http_upload signs for an external server. */

import { after, before } from 'node:test';
import { ServerProcess, TEST_SECRET } from '../support/server-process.ts';
import { startEjabberd } from './support/ejabberd.ts';
import { describeUploads, type Servers } from './support/upload-suite.ts';

const domain = 'ejabberd.test';

let servers: Servers | null = null;

before(async () => {
  const files = await ServerProcess.start();
  const xmpp = await startEjabberd({ domain, origin: files.origin, secret: TEST_SECRET }).catch(
    async (error: unknown) => {
      await files.stop();
      throw error;
    },
  );
  servers = { files, xmpp };
});

after(async () => {
  await servers?.xmpp.stop();
  await servers?.files.stop();
});

describeUploads(
  { title: 'ejabberd, mod_http_upload with external_secret', domain, signsType: false, refusesEmpty: true },
  () => {
    if (servers === null) throw new Error('not started');
    return servers;
  },
);
