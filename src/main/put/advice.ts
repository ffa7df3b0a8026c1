/** What to do next when the server says no. */

/** A sentence for people; null: the server's own words have to do. */
export function adviceFor(status: number, words: string, size: number): string | null {
  switch (status) {
    case 403:
      return adviceForSignature(words, size);
    case 404:
      return 'There is nothing to upload to under this path: check the beginning of the URL (UploadSubDir).';
    case 409:
      return 'Another file is stored there already, and a URL is good for one: get a new URL.';
    case 411:
    case 501:
      return 'This does not look like an upload URL of an HMAC file server: check host and path.';
    case 413:
      return (
        `The server takes no files of ${size} bytes (MaxUploadSize), or no more from this user (a quota): ask its ` +
        'operator, or send a smaller file.'
      );
    case 507:
      return "The server's disk is full: try the same command again later, or tell its operator.";
    default:
      return null;
  }
}

function adviceForSignature(words: string, size: number): string {
  if (/expired/i.test(words)) return 'The URL has expired: get a new one.';
  if (/extension/i.test(words)) return 'The server does not take files with such a name: rename it, and get a new URL.';
  return (
    `A URL is signed for one name and one size, and this file has ${size} bytes: get a URL for it ` +
    `("hmac-file-server sign NAME ${size}"), and quote it on the command line. If its type was signed, give --type.`
  );
}
