/** Log lines about the store as a whole: its health, what is deleted, and what expires in it. */

import type { LineRules } from './line-rules.ts';

export const storeRules = {
  'storage.degraded': {
    level: { gravest: 'error', of: ({ recovered }) => (recovered ? 'warning' : 'error') },
    msg: ({ recovered }) => (recovered ? 'Store recovered' : 'Store degraded'),
    fields: ({ code }) => ({ code }),
    limit: { perSecond: 1, kind: ({ code, recovered }) => `${code} ${recovered}` },
  },
  'file.deleted': {
    level: 'info',
    msg: 'File deleted',
    fields: ({ requestId, fileId, sizeBytes, versions, freedBytes }) => ({
      request_id: requestId,
      file_id: fileId,
      size_bytes: sizeBytes,
      versions,
      freed_bytes: freedBytes,
    }),
  },
  'deletion.completed': {
    level: 'debug',
    msg: 'Deletion completed',
    fields: ({ requestId, result }) => ({ request_id: requestId, reason: result }),
  },
  'file.expired': {
    level: 'debug',
    msg: 'File expired',
    fields: ({ fileId, sizeBytes }) => ({ file_id: fileId, size_bytes: sizeBytes }),
  },
  'expiry.completed': {
    level: {
      gravest: 'warning',
      of: ({ isAnnouncing, expiredFiles }) => (isAnnouncing && expiredFiles > 0 ? 'warning' : 'info'),
    },
    msg: ({ isAnnouncing, expiredFiles }) =>
      isAnnouncing && expiredFiles > 0 ? 'FileTTL will remove files in the next pass' : 'Expiry pass completed',
    fields: (event) => ({
      files: event.files,
      bytes: event.bytes,
      expired_files: event.expiredFiles,
      expired_bytes: event.expiredBytes,
      removed_files: event.removedFiles,
      removed_bytes: event.removedBytes,
      pruned_folders: event.prunedFolders,
      leftovers: event.leftovers,
      tombstones: event.tombstones,
      passed_over: event.passedOver,
      duration_ms: Math.round(event.durationMs),
    }),
  },
  'expiry.suspended': {
    level: { gravest: 'error', of: ({ recovered }) => (recovered ? 'warning' : 'error') },
    msg: ({ recovered }) =>
      recovered ? 'The clock is right again, files expire' : 'The clock has jumped, nothing expires',
    fields: ({ jumpMs }) => ({ jump_ms: Math.round(jumpMs) }),
  },
} as const satisfies Partial<LineRules>;
