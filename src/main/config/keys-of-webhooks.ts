/** The keys of webhooks: whom to tell which events. */

import { type WebhookEvent, webhookEvents } from './config.ts';
import { configKey } from './config-key.ts';
import { accepted, type Checked, quote, refused } from './given-value.ts';
import { nearestName } from './nearest-name.ts';
import { andThen, type Check, checkText, checkTexts, integerBetween } from './value-checks.ts';

const checkUrl: Check<string | null> = andThen(checkText, (text): Checked<string | null> => {
  if (text === '') return accepted(null);
  if (!URL.canParse(text)) return refused('is no URL; write it whole: "https://ingest.example.org/files"');
  const url = new URL(text);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return refused('is no http or https URL');
  if (url.username !== '' || url.password !== '') return refused('holds a password; the signature tells who is asking');
  return accepted(url.href);
});

const checkEvents: Check<readonly WebhookEvent[]> = andThen(checkTexts, (names): Checked<readonly WebhookEvent[]> => {
  const events: WebhookEvent[] = [];
  for (const name of names) {
    const event = webhookEvents.find((candidate) => candidate === name);
    if (event === undefined) {
      const nearest = nearestName(name, webhookEvents);
      const hint = nearest === null ? `one of ${webhookEvents.join(', ')}` : `did you mean "${nearest}"?`;
      return refused(`: ${quote(name)} is no event that can be told - ${hint}`);
    }
    events.push(event);
  }
  return events.length === 0 ? refused('is empty; remove WebhookURL to tell nothing') : accepted([...new Set(events)]);
});

const checkWebhookSecret: Check<string | null> = andThen(checkText, (secret): Checked<string | null> => {
  if (secret === '') return accepted(null);
  return secret.trim() === '' ? refused('consists of white space only') : accepted(secret);
});

export const keysOfWebhooks = {
  WebhookURL: configKey({
    type: 'string',
    topic: 'Webhooks',
    unit: 'URL',
    default: { type: 'string', value: '' },
    accepts: 'an http or https URL; `""` for no webhooks',
    summary: 'Where events are told to by POST, each at least once.',
    notes: 'What does not answer with 2xx is asked again. See [webhooks.md](webhooks.md).',
    check: checkUrl,
  }),
  WebhookSecret: configKey({
    type: 'string',
    topic: 'Webhooks',
    default: { type: 'string', value: '' },
    accepts: 'any text that is not blank; `whsec_` and base64 for bytes',
    summary: 'Signs webhooks, so that the receiver knows where they come from. Needed with WebhookURL.',
    isSecret: true,
    check: checkWebhookSecret,
  }),
  WebhookEvents: configKey({
    type: 'array of strings',
    topic: 'Webhooks',
    default: { type: 'array', items: [{ type: 'string', value: 'upload.completed' }] },
    accepts: '`"upload.completed"`, `"file.deleted"`, `"file.expired"`, `"storage.degraded"`',
    summary: 'Which events are told.',
    check: checkEvents,
  }),
  WebhookQueueSize: configKey({
    type: 'integer',
    topic: 'Webhooks',
    unit: 'events',
    default: { type: 'integer', value: 10_000 },
    accepts: '1 to 1000000',
    summary: 'Events that may wait for the receiver; further ones are dropped and counted.',
    check: integerBetween({ min: 1, max: 1_000_000, unit: 'events' }),
  }),
} as const;
