// The files of GraphiQL, read when the first browser comes (9 MB that a gateway in production need not hold), and pressed
// once each.

import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface GraphiQLAssets {
  /** Where the page finds them. */
  readonly paths: {
    readonly script: string;
    readonly start: string;
    readonly style: string;
    /** By the names that the editor asks for. */
    readonly workers: Readonly<Record<string, string>>;
  };
  /** By path. */
  readonly files: ReadonlyMap<string, Asset>;
}

export interface Asset {
  readonly type: string;
  readonly bytes: () => Buffer;
  readonly gzip: () => Promise<Buffer>;
}

/** All files of GraphiQL; the same promise for everyone. */
export function graphiqlAssets(): Promise<GraphiQLAssets> {
  assets ??= loadAssets();
  return assets;
}

let assets: Promise<GraphiQLAssets> | undefined;

async function loadAssets(): Promise<GraphiQLAssets> {
  const { js, css, editorWorkerService, jsonWorker, graphqlWorker } = await import(
    '@graphql-yoga/render-graphiql/graphiql'
  );
  const files = new Map<string, Asset>();
  const add = (name: string, type: string, text: string) => {
    const [stem, ending] = name.split('.');
    const path = `/graphiql/${stem}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}.${ending}`;
    files.set(path, asset(type, text));
    return path;
  };
  const script = (name: string, text: string) => add(name, 'text/javascript', text);
  return {
    paths: {
      script: script('graphiql.js', js),
      start: script('start.js', startScript),
      style: add('graphiql.css', 'text/css', css),
      workers: {
        editorWorkerService: script('editor-worker.js', editorWorkerService),
        json: script('json-worker.js', jsonWorker),
        graphql: script('graphql-worker.js', graphqlWorker),
      },
    },
    files,
  };
}

function asset(type: string, text: string): Asset {
  let zipped: Promise<Buffer> | undefined;
  const bytes = () => Buffer.from(text);
  return {
    type,
    bytes,
    gzip: () => {
      zipped ??= promisify(gzip)(bytes());
      return zipped;
    },
  };
}

// Runs in the browser, after GraphiQL's own script: tells the editor where its workers are, and puts GraphiQL on the page.
const startScript = `
const { options, workers } = JSON.parse(document.getElementById('settings').textContent);
self.MonacoEnvironment = { globalAPI: false, getWorkerUrl: (_, label) => workers[label] };
YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), options);
`;
