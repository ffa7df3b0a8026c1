/** Joins winston to a `BatchWriter`: the line that the format made is appended, and winston never has to wait. */

import type { Logform } from 'winston';
import TransportStream from 'winston-transport';
import type { BatchWriter } from './batch-writer.ts';

/** Where winston's formats leave the finished line (the key that `triple-beam` calls MESSAGE). */
export const FINISHED_LINE: unique symbol = Symbol.for('message') as typeof FINISHED_LINE;

/** `format` makes the line for this transport alone; null: the logger's own format has made it. */
export function createBatchingTransport(writer: BatchWriter, format: Logform.Format | null): TransportStream {
  return new TransportStream({
    log(info: Readonly<Record<symbol, unknown>>, next) {
      const line = info[FINISHED_LINE];
      if (typeof line === 'string') writer.append(line);
      next();
    },
    ...(format === null ? {} : { format }),
  });
}
