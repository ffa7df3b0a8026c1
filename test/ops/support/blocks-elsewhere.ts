/** The blocks of the documents that test/ops/documents.test.ts does not run: other tests do, or nothing can. */

export interface BlockName {
  readonly document: string;
  /** Name of the block, or how its first line begins. */
  readonly block: string;
}

/** What runs the block, as printed; it names the document. */
export interface RunElsewhere extends BlockName {
  readonly by: string;
}

/** Why nothing runs the block. */
export interface NotRun extends BlockName {
  readonly reason: string;
}

const xmpp = 'docs/xmpp.md';
const signing = 'docs/signing.md';
const signingTest = 'test/tools/signing-programs.test.ts';

export const runElsewhere: readonly RunElsewhere[] = [
  { document: 'README.md', block: 'npm ci && npm start', by: '.ci/run' },
  { document: 'README.md', block: 'Try it:', by: '.ci/readme' },
  { document: 'docs/migration.md', block: 'config.toml:3:1:', by: 'test/unit/config-other-versions.test.ts' },
  { document: 'docs/resumable.md', block: 'resume.sh', by: 'test/tools/resumable-documents.test.ts' },
  { document: signing, block: 'sign.mjs', by: signingTest },
  { document: signing, block: 'sign.py', by: signingTest },
  { document: signing, block: 'sign.lua', by: signingTest },
  { document: signing, block: 'sign.sh', by: signingTest },
  { document: signing, block: 'upload.sh', by: signingTest },
  { document: 'docs/tus-clients.md', block: 'upload.mjs', by: 'test/tools/tus-documents.test.ts' },
  { document: 'docs/tus-clients.md', block: 'upload.html', by: 'test/tools/tus-documents.test.ts' },
  { document: xmpp, block: 'prosody-file-share', by: 'test/xmpp/support/documented-block.ts' },
  { document: xmpp, block: 'prosody-v2', by: 'test/xmpp/support/documented-block.ts' },
  { document: xmpp, block: 'prosody-v1', by: 'test/xmpp/support/documented-block.ts' },
  { document: xmpp, block: 'ejabberd', by: 'test/xmpp/support/documented-block.ts' },
];

export const notRun: readonly NotRun[] = [
  { document: 'ARCHITECTURE.md', block: 'sockets', reason: 'a picture' },
  { document: 'ARCHITECTURE.md', block: '┌─ main ─', reason: 'a picture' },
  { document: 'README.md', block: 'PUT /files/a/b.jpg', reason: 'a picture' },
  { document: 'docs/configuration.md', block: 'duration = ""', reason: 'a grammar' },
  { document: 'docs/storage.md', block: 'StoreDir/<path>', reason: 'a list of files' },
  { document: 'docs/tus-clients.md', block: 'uppy.use(Tus', reason: 'Uppy is not among the development dependencies' },
];

/** Command lines that are left out of blocks that are run: by their beginning, with the reason. */
export const linesNotRun: Readonly<Record<string, string>> = {
  'npm run -s build': 'npm run test:ops has just done it, and other tests are running what it wrote',
  'HMAC_FILE_SERVER_LISTENERS=2 npm run test:e2e': 'takes minutes; npm test runs the same tests with one listener',
  'npm run test:attacks:long': 'takes many minutes; npm run test:attacks runs the same tests with fewer cases',
  'hmac-file-server serve': 'is how test/e2e/migration.test.ts starts the server on an old folder',
  'bash .ci/run': 'is what runs all the others',
  'bench goals': 'takes ten minutes',
  'bench put-64k --baseline main': 'builds another revision of a git repository, and measures for minutes',
  'bench put-64k put-1m': 'measures for minutes',
  'bench put size=2GiB': 'stores 2 GiB many times',
  'bench append size=1GiB': 'stores gigabytes',
  'bench put size=1GiB': 'stores gigabytes',
  'bench put size=256MiB': 'stores 4 GiB many times',
  'bench put-64k get-16k --target server --vs': 'measures ten times',
  'bench put-64k --durability full --vs': 'measures ten times',
  'bench put size=10KiB connections=32 --durability full --vs': 'measures ten times',
};
