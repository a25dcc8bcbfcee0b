// A client that follows a subscription over server-sent events, as browsers and programs do.
import { eventually } from './eventually.js';

export interface FollowOptions {
  readonly variables?: Record<string, unknown>;
  readonly token?: string;
  readonly headers?: Record<string, string>;
  /** GET instead of POST. */
  readonly get?: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: results are compared whole with what a test expects.
export type Result = any;

/** A subscription that a client has open. */
export interface Followed {
  readonly status: number;
  readonly headers: Headers;
  /** Results so far. */
  readonly results: readonly Result[];
  /** Comments that keep the connection open, so far. */
  readonly pings: () => number;
  /** The result after the one that was taken last, as soon as it is there. */
  readonly next: () => Promise<Result>;
  /** Resolves when the server has ended the stream; to whether it said so. */
  readonly completed: Promise<boolean>;
  readonly leave: () => void;
}

/** Opens a subscription at the edge `url`. */
export async function follow(url: string, document: string, options: FollowOptions = {}): Promise<Followed> {
  const { variables = {}, token, headers = {}, get = false } = options;
  const leaving = new AbortController();
  const common = { accept: 'text/event-stream', ...(token && { authorization: `Bearer ${token}` }), ...headers };
  const parameters = new URLSearchParams({ query: document, variables: JSON.stringify(variables) });
  const response = await (get
    ? fetch(`${url}/graphql?${parameters}`, { headers: common, signal: leaving.signal })
    : fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...common },
        body: JSON.stringify({ query: document, variables }),
        signal: leaving.signal,
      }));
  const results: Result[] = [];
  let pings = 0;
  let taken = 0;
  const completed = (async () => {
    let text = '';
    let said = false;
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) {
        text += decoder.decode(chunk, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          if (block === ':') pings++;
          if (block.startsWith('event: complete')) said = true;
          if (block.startsWith('event: next')) results.push(JSON.parse(block.slice(block.indexOf('data: ') + 6)));
        }
      }
    } catch {
      // It left, or was cut off.
    }
    return said;
  })();
  return {
    status: response.status,
    headers: response.headers,
    results,
    pings: () => pings,
    next: async () => {
      const at = taken++;
      await eventually(() => results.length > at);
      return results[at];
    },
    completed,
    leave: () => leaving.abort(),
  };
}
