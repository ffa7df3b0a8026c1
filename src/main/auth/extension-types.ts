/**
 * Which media types issuers sign for a file extension. Servers made for HMAC File Server 2.0.2 and 3.4.0 sign the type
 * that their host's MIME database gives, and the databases differ: all known answers are tried.
 */

import { OCTET_STREAM } from '../http/media-type.ts';

/** Extensions that share a row, and their types, most common first. Both lists are separated by spaces. */
const rows: readonly (readonly [extensions: string, types: string])[] = [
  ['txt text', 'text/plain'],
  ['asc', 'text/plain application/pgp-keys'],
  ['ini cfg conf env', 'text/plain'],
  ['log', 'text/x-log text/plain'],
  ['md', 'text/markdown'],
  ['csv', 'text/csv'],
  ['tsv', 'text/tab-separated-values'],
  ['htm html', 'text/html'],
  ['css', 'text/css'],
  ['js mjs', 'text/javascript application/javascript'],
  ['json', 'application/json'],
  ['xml', 'text/xml application/xml'],
  ['yaml yml', 'application/x-yaml application/yaml'],
  ['toml', 'application/toml'],
  ['sql', 'application/sql'],
  ['rtf', 'application/rtf'],
  ['ics', 'text/calendar'],
  ['vcf', 'text/vcard'],
  ['py', 'text/x-python'],
  ['c', 'text/x-csrc'],
  ['h', 'text/x-chdr'],
  ['go', 'text/x-go'],
  ['rs', 'text/x-rust text/rust'],
  ['java', 'text/x-java'],
  ['php', 'application/x-php'],
  ['sh', 'application/x-shellscript text/x-sh'],
  ['pdf', 'application/pdf'],
  ['doc', 'application/msword'],
  ['docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xls', 'application/vnd.ms-excel'],
  ['xlsx', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['ppt', 'application/vnd.ms-powerpoint'],
  ['pptx', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
  ['odt', 'application/vnd.oasis.opendocument.text'],
  ['ods', 'application/vnd.oasis.opendocument.spreadsheet'],
  ['odp', 'application/vnd.oasis.opendocument.presentation'],
  ['epub', 'application/epub+zip'],
  ['mobi', 'application/x-mobipocket-ebook'],
  ['png', 'image/png'],
  ['jpg jpeg jpe', 'image/jpeg'],
  ['gif', 'image/gif'],
  ['webp', 'image/webp'],
  ['avif', 'image/avif'],
  ['jxl', 'image/jxl'],
  ['svg', 'image/svg+xml'],
  ['bmp', 'image/bmp'],
  ['ico', 'image/vnd.microsoft.icon image/x-icon'],
  ['tif tiff', 'image/tiff'],
  ['heic', 'image/heic image/heif'],
  ['heif', 'image/heif'],
  ['psd', 'image/vnd.adobe.photoshop'],
  ['mp3', 'audio/mpeg'],
  ['m4a', 'audio/mp4 audio/x-m4a'],
  ['aac', 'audio/aac'],
  ['ogg oga', 'audio/ogg'],
  ['opus', 'audio/ogg audio/opus'],
  ['flac', 'audio/flac'],
  ['wav', 'audio/x-wav audio/wav audio/vnd.wave'],
  ['wma', 'audio/x-ms-wma'],
  ['amr', 'audio/AMR audio/amr'],
  ['mid', 'audio/midi audio/sp-midi'],
  ['midi', 'audio/midi'],
  ['mp4', 'video/mp4'],
  ['m4v', 'video/mp4 video/x-m4v'],
  ['mov', 'video/quicktime'],
  ['webm', 'video/webm'],
  ['mkv', 'video/x-matroska'],
  ['avi', 'video/x-msvideo video/vnd.avi'],
  ['ogv', 'video/ogg'],
  ['3gp', 'video/3gpp'],
  ['3g2', 'video/3gpp2'],
  ['wmv', 'video/x-ms-wmv'],
  ['flv', 'video/x-flv'],
  ['mpg mpeg', 'video/mpeg'],
  ['asf', 'application/vnd.ms-asf video/x-ms-asf'],
  ['zip', 'application/zip'],
  ['gz', 'application/gzip'],
  ['tgz', 'application/x-compressed-tar'],
  ['bz2', 'application/x-bzip application/x-bzip2'],
  ['xz', 'application/x-xz'],
  ['zst', 'application/zstd'],
  ['7z', 'application/x-7z-compressed'],
  ['rar', 'application/vnd.rar'],
  ['tar', 'application/x-tar'],
  ['lz4', 'application/x-lz4'],
  ['jar', 'application/x-java-archive application/java-archive'],
  ['apk', 'application/vnd.android.package-archive'],
  ['deb', 'application/vnd.debian.binary-package'],
  ['rpm', 'application/x-rpm'],
  ['dmg', 'application/x-apple-diskimage'],
  ['iso', 'application/x-cd-image application/x-iso9660-image'],
  ['img', 'application/x-raw-disk-image'],
  ['exe', 'application/x-ms-dos-executable application/x-msdos-program'],
  ['msi', 'application/x-msi application/x-ms-installer'],
  ['wasm', 'application/wasm'],
  ['pgp gpg', 'application/pgp-encrypted'],
  ['sig', 'application/pgp-signature'],
  ['woff', 'font/woff'],
  ['woff2', 'font/woff2'],
  ['ttf', 'font/ttf'],
  ['otf', 'font/otf'],
  ['eot', 'application/vnd.ms-fontobject'],
  ['db', 'application/x-sqlite3'],
  ['sqlite sqlite3', 'application/vnd.sqlite3 application/x-sqlite3'],
  ['stl', 'model/stl'],
  ['obj', 'model/obj'],
  ['torrent', 'application/x-bittorrent'],
];

const typesByExtension: ReadonlyMap<string, readonly string[]> = new Map(
  rows.flatMap(([extensions, types]) => {
    const signed = types.split(' ').flatMap((type) => [type, `${type}; charset=utf-8`]);
    return extensions.split(' ').map((extension): [string, readonly string[]] => [extension, signed]);
  }),
);

const everyType: readonly string[] = [...new Set([...typesByExtension.values()].flat())];

const unknownExtension: readonly string[] = [OCTET_STREAM];

/**
 * The types to try for an extension (ASCII lower case, without the dot; null: the name has none), each also as Go writes
 * text types, with `; charset=utf-8`.
 */
export function signedTypesOf(extension: string | null): readonly string[] {
  return (extension === null ? undefined : typesByExtension.get(extension)) ?? unknownExtension;
}

/** The types of all extensions. */
export function allSignedTypes(): readonly string[] {
  return everyType;
}
