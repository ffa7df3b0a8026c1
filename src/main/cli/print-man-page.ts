/** Prints the manual page: what `npm run docs:man` writes to `deploy/man/hmac-file-server.1`. */

import { commands } from './command-line.ts';
import { manPage } from './man-page.ts';

process.stdout.write(manPage(commands));
