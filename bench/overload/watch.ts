// What must go on under any load: health, mutations and revocations, asked on connections of their own. Health is asked both
// on one that stays and, as most probes do, on a new one each time.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { nameOf } from '../freshness/keys.js';
import type { GatewayProcess } from './gateway-process.js';

export interface Watched {
  readonly livezMs: readonly number[];
  /** The same, each on a new connection. */
  readonly newcomersMs: readonly number[];
  readonly mutations: Counted;
  /** After each, the token is used once more: it must be refused. */
  readonly revocations: Counted;
  readonly revokedButTaken: number;
}

interface Counted {
  readonly done: number;
  readonly of: number;
  readonly latenciesMs: readonly number[];
  readonly firstFailure: string;
}

const RENAME =
  'mutation ($key: String!, $label: String!) { renameMenuItem(key: $key, item: "item-0", label: $label) { __typename } }';
const REVOKE = 'mutation ($id: ID!) { revokeToken(id: $id) { __typename } }';

/** Watches for `ms`; revokes tokens out of `doomed`, and takes them from it. */
export async function watch(
  { url, editor }: GatewayProcess,
  doomed: { id: string; secret: string }[],
  ms: number,
): Promise<Watched> {
  const agent = new Agent({ keepAlive: true });
  const endMs = performance.now() + ms;
  const every = async (periodMs: number, act: () => Promise<void>) => {
    while (performance.now() < endMs) {
      await act();
      await sleep(periodMs);
    }
  };
  const livezMs: number[] = [];
  const newcomersMs: number[] = [];
  const livez = async (by: Agent | false, into: number[]) => {
    const { tookMs, status } = await ask(by, `${url}/livez`);
    into.push(status === 200 ? tookMs : Number.POSITIVE_INFINITY);
  };
  const mutations = counter();
  const revocations = counter();
  let revokedButTaken = 0;
  await Promise.all([
    every(20, () => livez(agent, livezMs)),
    every(40, () => livez(false, newcomersMs)),
    every(100, async () => {
      const variables = { key: nameOf(mutations.of), label: `Label ${mutations.of}` };
      mutations.count(
        await ask(agent, `${url}/graphql`, { query: RENAME, variables }, editor),
        'RenameMenuItemPayload',
      );
    }),
    every(400, async () => {
      const token = doomed.pop();
      if (!token) return;
      const done = revocations.count(
        await ask(agent, `${url}/graphql`, { query: REVOKE, variables: { id: token.id } }, editor),
        'RevokeTokenPayload',
      );
      if (
        done &&
        (await ask(agent, `${url}/graphql`, { query: '{ viewer { subject } }' }, token.secret)).status === 200
      ) {
        revokedButTaken += 1;
      }
    }),
  ]);
  agent.destroy();
  return { livezMs, newcomersMs, mutations, revocations, revokedButTaken };
}

interface Told {
  readonly status: number;
  readonly body: string;
  readonly tookMs: number;
}

function counter() {
  return {
    done: 0,
    of: 0,
    latenciesMs: [] as number[],
    firstFailure: '',
    count({ status, body, tookMs }: Told, payload: string): boolean {
      this.of += 1;
      this.latenciesMs.push(tookMs);
      const isDone = body.includes(payload);
      if (isDone) this.done += 1;
      else this.firstFailure ||= `${status} ${body.slice(0, 200)}`;
      return isDone;
    },
  };
}

function ask(agent: Agent | false, url: string, body?: object, token?: string): Promise<Told> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const fail = () => resolve({ status: 0, body: 'no answer', tookMs: performance.now() - startedMs });
    const outgoing = request(
      url,
      {
        agent,
        method: body ? 'POST' : 'GET',
        headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('error', fail);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: text, tookMs: performance.now() - startedMs }),
        );
      },
    );
    outgoing.on('error', fail);
    outgoing.end(body && JSON.stringify(body));
  });
}
