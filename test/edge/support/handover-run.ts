/**
 * Several handovers of a TCP port in a row under load, for a test that starts this file in a network of its own. Prints one
 * line of JSON. Arguments: number of handovers, number of listeners, `tls` or `plain`.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort } from '../../support/free-port.ts';
import { RequestLoad } from '../../support/request-load.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { installCertificate, tlsSettings, trustedCertificates } from '../../support/test-certificate.ts';

const CLIENTS = 24;
const REQUESTS_BETWEEN = 400;

const [, , rounds = '3', listeners = '1', protocol = 'plain'] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'hmac-handover-'));
const storeDir = join(folder, 'store');
const port = await findFreePort();
const ListenPort = `127.0.0.1:${port}`;
const isTls = protocol === 'tls';
if (isTls) installCertificate(folder, 'first');
const certificate = isTls ? tlsSettings(folder) : {};
const settings = { ListenPort, SharedPort: true, Listeners: Number(listeners), LogLevel: 'info', ...certificate };
const tls = { ca: trustedCertificates.join('\n'), servername: 'localhost' };

let server = await ServerProcess.start({ storeDir, settings });
const load = new RequestLoad(isTls ? { port, tls } : { port }, CLIENTS);
const statuses: (number | null)[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  await load.reaches(load.count + REQUESTS_BETWEEN);
  const next = await ServerProcess.start({ storeDir, settings });
  const { status } = await server.exited;
  statuses.push(status);
  await server.stop();
  server = next;
}
await load.reaches(load.count + REQUESTS_BETWEEN);
const report = await load.stop();
statuses.push((await server.stop()).status);
rmSync(folder, { recursive: true });
process.stdout.write(`${JSON.stringify({ ...report, statuses })}\n`);
