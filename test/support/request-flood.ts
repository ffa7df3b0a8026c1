/** Many requests as fast as they are answered, over kept connections, one after the other on each. */

import { RawConnection, type RawResponse } from './raw-http.ts';

export interface Flood {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  readonly requestOf: (index: number) => Buffer;
  /** Throws when an answer is wrong. */
  readonly judge: (answer: RawResponse) => void;
}

/** Resolves when the last answer has come. */
export async function flood({ port, connections, requests, requestOf, judge }: Flood): Promise<void> {
  let next = 0;
  const client = async (): Promise<void> => {
    const connection = await RawConnection.open(port);
    try {
      while (next < requests) {
        const request = requestOf(next);
        next += 1;
        await connection.send(request);
        judge(await connection.finalResponse({ timeoutMs: 30_000 }));
      }
    } finally {
      connection.drop();
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
}
