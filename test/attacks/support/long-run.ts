/** What `npm run test:attacks:long` asks for, in the environment of the tests. */

const NAME = 'ATTACKS_AT_LENGTH';

/** Measurements take all samples of the catalogue, however long that takes. */
export const isLongRun: boolean = process.env[NAME] !== undefined;

/** For the processes that are started from now on. */
export function makeLong(): void {
  process.env[NAME] = 'yes';
}
