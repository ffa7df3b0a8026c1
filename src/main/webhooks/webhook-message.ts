/**
 * What a webhook says: one JSON object for each event, signed as the Standard Webhooks specification describes. A
 * message goes to one receiver that the operator chose, so it may name a path; it never holds a query or a secret.
 */

import { createHmac, randomUUID } from 'node:crypto';
import type { EventOf } from '../../shared/events.ts';
import type { WebhookEvent } from '../config/config.ts';

/** A message with all that is needed to send it again, by this process or a later one. */
export interface WebhookMessage {
  /** The same at every attempt: receivers know by it what they have seen already. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly createdMs: number;
  /** JSON text. */
  readonly body: string;
}

type Data = Readonly<Record<string, string | number | boolean | null>>;
type DataRules = { readonly [T in WebhookEvent]: (event: EventOf<T>) => Data };

const rules: DataRules = {
  'upload.completed': ({ path, fileId, uploadId, protocol, sizeBytes, durationMs }) => ({
    path,
    file_id: fileId,
    upload_id: uploadId,
    protocol,
    size_bytes: sizeBytes,
    duration_ms: Math.round(durationMs),
  }),
  'file.deleted': ({ fileId, sizeBytes, versions }) => ({ file_id: fileId, size_bytes: sizeBytes, versions }),
  'file.expired': ({ fileId, sizeBytes }) => ({ file_id: fileId, size_bytes: sizeBytes }),
  'storage.degraded': ({ code, recovered }) => ({ code, recovered }),
};

/** Makes the message of an event. */
export function createMessage(event: EventOf<WebhookEvent>): WebhookMessage {
  const { type, time } = event;
  const dataOf = rules[type] as (event: EventOf<WebhookEvent>) => Data;
  const body = JSON.stringify({ type, timestamp: new Date(time).toISOString(), data: dataOf(event) });
  return { id: `msg_${randomUUID()}`, createdMs: time, body };
}

/** The bytes of a secret: base64 behind `whsec_`, as other products hand them out, otherwise the text itself. */
function keyOf(secret: string): Buffer {
  const prefix = 'whsec_';
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), 'base64') : Buffer.from(secret);
}

/** Fields of an attempt at this moment: a receiver refuses old ones, so that nothing can be played back to it. */
export function messageFields({ id, body }: WebhookMessage, secret: string, nowMs: number): Record<string, string> {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const mac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${body}`).digest('base64');
  return {
    'Content-Type': 'application/json',
    'User-Agent': 'hmac-file-server',
    'Webhook-Id': id,
    'Webhook-Timestamp': timestamp,
    'Webhook-Signature': `v1,${mac}`,
  };
}
