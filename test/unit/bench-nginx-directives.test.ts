/** Directives of nginx in the name of a target. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNginxDirectives } from '../../bench/targets/nginx.ts';

test('directives have names of nginx and any value that ends none', () => {
  assert.deepEqual(
    [...parseNginxDirectives('client_body_buffer_size=1m&client_body_in_file_only=clean&aio=threads')],
    [
      ['client_body_buffer_size', '1m'],
      ['client_body_in_file_only', 'clean'],
      ['aio', 'threads'],
    ],
  );
});

test('what is no directive, or would be more than one, is refused', () => {
  for (const text of ['', 'aio', 'Listeners=2', 'aio=threads; user root', 'aio=', 'aio={', 'aio=on&']) {
    assert.throws(() => parseNginxDirectives(text), /is no directive; write client_body_buffer_size=1m/, text);
  }
});
