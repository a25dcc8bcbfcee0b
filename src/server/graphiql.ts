// GraphiQL from this server alone: a small page, and its scripts, styles and workers under names that change with their
// content. The page may load from nowhere else, and it holds no token.

import { type Example, exampleText } from './example.js';
import { type Exchange, onlyMethods } from './exchange.js';
import { type GraphiQLAssets, graphiqlAssets } from './graphiql-assets.js';
import { Refusal } from './refusal.js';

/** Answers with the page, its tabs filled with `examples`. */
export async function serveGraphiQLPage({ response }: Exchange, examples: readonly Example[]): Promise<void> {
  const { paths } = await graphiqlAssets();
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy });
  response.end(page(paths, examples));
}

/** Answers with a script, style or worker of the page. @throws {Refusal} for any other path. */
export async function serveGraphiQLAsset(exchange: Exchange): Promise<void> {
  onlyMethods(exchange, 'GET', 'HEAD');
  const { files } = await graphiqlAssets();
  const file = files.get(exchange.path);
  if (!file) throw new Refusal('NOT_FOUND', 'There is no such file; load /graphql anew.');
  const zipped = /\bgzip\b/.test(exchange.request.headers['accept-encoding'] ?? '');
  const bytes = zipped ? await file.gzip() : file.bytes();
  exchange.response.writeHead(200, {
    'content-type': `${file.type}; charset=utf-8`,
    'content-length': bytes.length,
    'cache-control': 'public, max-age=31536000, immutable',
    vary: 'accept-encoding',
    ...(zipped && { 'content-encoding': 'gzip' }),
  });
  exchange.response.end(bytes);
}

// GraphiQL's editor writes style elements as it goes and carries its fonts in its style sheet; scripts are ours only.
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  'font-src data:',
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

// A mirror, and what stands before it.
const logo =
  '<svg width="28" height="28" viewBox="0 0 28 28" fill="none" stroke="currentColor" stroke-width="2">' +
  '<path d="M14 3v22"/><path d="M10 8 4 20h6z"/><path d="M18 8l6 12h-6z" fill="currentColor"/></svg>';

function page(paths: GraphiQLAssets['paths'], examples: readonly Example[]): string {
  const headers = JSON.stringify({ 'x-cache-trace': '1' }, null, 2);
  const tab = (example: Example) => ({ query: exampleText(example), variables: example.variables ?? '', headers });
  const options = {
    title: 'Espelho',
    logo,
    endpoint: '/graphql',
    headers,
    shouldPersistHeaders: false, // a token typed into the headers is gone with the page
    defaultTabs: examples.map(tab),
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Espelho</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${paths.style}">
</head>
<body class="no-focus-outline">
<noscript>GraphiQL needs JavaScript.</noscript>
<div id="root"></div>
<script id="settings" type="application/json">${inScript({ options, workers: paths.workers })}</script>
<script src="${paths.script}"></script>
<script src="${paths.start}"></script>
</body>
</html>
`;
}

function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}
