/** Run by `npm run docs:configuration`: writes the two files that are made from the table of keys. */

import { writeFileSync } from 'node:fs';
import { renderConfigFile, startSettings } from './config-file-template.ts';
import { renderConfigurationDocument } from './configuration-document.ts';

writeFileSync('docs/configuration.md', renderConfigurationDocument());
writeFileSync('config.toml', renderConfigFile(startSettings));
