/** Files that run what they hold, where somebody lets them, and every way to bring a file into a page. */

export interface ActiveFile {
  readonly name: string;
  /** Empty: none. */
  readonly type: string;
  /** Whether it does run when a careless site serves it; other ones are tried because some browser once guessed. */
  readonly runs: boolean;
  /** The file, with the script and the URL of a style sheet that writes the script into an XML document. */
  readonly render: (script: string, style: string) => string;
}

export const activeFiles: readonly ActiveFile[] = [
  { name: 'page.html', type: 'text/html', runs: true, render: html },
  { name: 'page.html', type: 'text/html;x', runs: true, render: html },
  { name: 'typeless', type: '', runs: true, render: html },
  { name: 'drawing.svg', type: 'image/svg+xml', runs: true, render: svg },
  { name: 'page.xhtml', type: 'application/xhtml+xml', runs: true, render: xhtml },
  { name: 'data.xml', type: 'text/xml', runs: true, render: xhtmlInXml },
  { name: 'feed.xml', type: 'application/rss+xml', runs: false, render: xhtmlInXml },
  {
    name: 'styled.xml',
    type: 'application/xml',
    runs: true,
    render: (_, style) => `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="${style}"?><x/>`,
  },
  { name: 'page.html', type: 'text/plain', runs: false, render: html },
  { name: 'both.png', type: 'image/png, text/html', runs: false, render: html },
  { name: 'photo.png', type: 'image/png', runs: false, render: html },
  { name: 'drawing.png', type: 'image/png', runs: false, render: svg },
  { name: 'clip.mp4', type: 'video/mp4', runs: false, render: html },
  { name: 'no-type', type: 'application/octet-stream', runs: false, render: html },
  { name: 'page.mht', type: 'multipart/related', runs: false, render: mht },
  { name: 'mail.eml', type: 'message/rfc822', runs: false, render: mht },
  { name: 'parts', type: 'multipart/x-mixed-replace; boundary=b', runs: false, render: mixedParts },
  { name: 'report.pdf', type: 'application/pdf', runs: false, render: pdf },
];

/** A style sheet whose result is a page with the script. */
export function styleSheet(script: string): string {
  return (
    '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">' +
    `<html><script>${script}</script></html></xsl:template></xsl:stylesheet>`
  );
}

function html(script: string): string {
  return `<!doctype html><script>${script}</script><body onload="${script}">`;
}

function svg(script: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" onload="${script}"><script>${script}</script></svg>`;
}

function xhtml(script: string): string {
  return `<html xmlns="http://www.w3.org/1999/xhtml"><script>${script}</script></html>`;
}

function xhtmlInXml(script: string): string {
  return `<x><script xmlns="http://www.w3.org/1999/xhtml">${script}</script></x>`;
}

function mht(script: string): string {
  return `MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n${html(script)}`;
}

function mixedParts(script: string): string {
  return `--b\r\nContent-Type: text/html\r\n\r\n${html(script)}\r\n--b--\r\n`;
}

/** Has the reader run it when the document is opened. */
function pdf(script: string): string {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /OpenAction 4 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>',
    `<< /S /JavaScript /JS (${script.replace(/[\\()]/g, '\\$&')}) >>`,
  ];
  const bodies = objects.map((object, index) => `${index + 1} 0 obj ${object} endobj\n`);
  return `%PDF-1.4\n${bodies.join('')}trailer << /Root 1 0 R /Size ${objects.length + 1} >>\n%%EOF\n`;
}

/** A page that brings the file in by every way; `window.settled` resolves when each has loaded, failed, or become a download. */
export function pageWith(url: string): string {
  return `<!doctype html><title>embeds</title><body><script>
    const settled = (element) => new Promise((resolve) => {
      element.onload = element.onerror = resolve;
      // A download tells nothing.
      setTimeout(resolve, 700);
      document.body.append(element);
    });
    const make = (tag, properties) => settled(Object.assign(document.createElement(tag), properties));
    const types = ['', 'text/html', 'image/svg+xml', 'application/xhtml+xml'];
    window.settled = Promise.all([
      make('iframe', { src: '${url}' }), make('img', { src: '${url}' }), make('video', { src: '${url}' }),
      make('script', { src: '${url}' }), make('link', { rel: 'stylesheet', href: '${url}' }),
      ...types.map((type) => make('object', { type, data: '${url}' })),
      ...types.map((type) => make('embed', { type, src: '${url}' })),
    ]);
  </script>`;
}
