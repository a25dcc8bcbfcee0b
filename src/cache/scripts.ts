// The Lua scripts, each loaded from its file and run by its digest. A script that the server does not know yet did not
// run, so it alone is sent again, whole.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { ScriptCommand } from './redis-command.js';

export interface Script {
  readonly source: string;
  readonly sha: string;
}

/** One run of a script on the keys of one partition, or of several of one master. */
export interface Call {
  readonly script: Script;
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** What stands before a script that `many.lua` runs. */
const MANY = 'local ALL_KEYS, ALL_ARGV = KEYS, ARGV\nlocal KEYS, ARGV\nlocal function script()\n';

export const scripts = {
  read: load('read', ['guard', 'grant', 'heal', 'members', 'stamp'], 'allow-oom'),
  /** The same for several partitions of one master. */
  reads: load('read', ['guard', 'grant', 'heal', 'members', 'stamp'], 'allow-oom', true),
  standing: load('standing', ['guard'], 'no-writes,allow-oom'),
  renew: load('renew', ['guard', 'grant', 'heal', 'members']),
  stage: load('stage', ['guard', 'members']),
  fill: load('fill', ['guard', 'heal', 'members', 'stamp', 'entry']),
  fence: load('fence', ['guard', 'grant', 'heal'], 'allow-oom'),
  publish: load('publish', ['guard', 'heal', 'members', 'stamp', 'entry', 'release']),
  patch: load('patch', ['guard', 'heal', 'members', 'stamp', 'release']),
  drop: load('drop', ['guard', 'heal', 'stamp', 'release'], 'allow-oom'),
  meta: load('meta', ['guard'], 'no-writes,allow-oom'),
  begin: load('begin', ['guard'], 'allow-oom'),
  advance: load('advance', ['guard'], 'allow-oom'),
  fences: load('fences', ['guard', 'heal'], 'allow-oom'),
  peek: load('peek', ['guard', 'members'], 'no-writes,allow-oom'),
  inspect: load('inspect', ['guard'], 'no-writes,allow-oom'),
  allowance: load('allowance', []),
};

/** Runs all calls in one round-trip. A reply is what the script returned, or the error it failed with. */
export async function run(redis: Redis, calls: readonly Call[]): Promise<unknown[]> {
  const replies = await pipeline(redis, calls, 'EVALSHA');
  const unknown = replies.flatMap((reply, at) => (isUnknownScript(reply) ? [at] : []));
  if (unknown.length === 0) return replies;
  const again = await pipeline(
    redis,
    unknown.flatMap((at) => calls[at] ?? []),
    'EVAL',
  );
  unknown.forEach((at, index) => {
    replies[at] = again[index];
  });
  return replies;
}

/**
 * Written in one piece. Not by the client's own pipelines: V8 makes a hidden class of each of them, which keeps all that
 * went with it from the young generation's collector.
 */
function pipeline(redis: Redis, calls: readonly Call[], command: 'EVALSHA' | 'EVAL'): Promise<unknown[]> {
  const ask = ({ script, keys, args }: Call): Promise<unknown> => {
    const call = new ScriptCommand(command, command === 'EVAL' ? script.source : script.sha, keys, args);
    redis.sendCommand(call);
    return call.promise;
  };
  const [only] = calls;
  if (only && calls.length === 1) return ask(only).then(alone, alone);
  const { stream } = redis;
  stream?.cork();
  try {
    return Promise.all(calls.map((call) => ask(call).catch((error: unknown) => error)));
  } finally {
    stream?.uncork();
  }
}

const alone = (reply: unknown): unknown[] => [reply];

function isUnknownScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT');
}

function load(name: string, preludes: readonly string[], flags = '', many = false): Script {
  const read = (file: string) => readFileSync(new URL(`./lua/${file}.lua`, import.meta.url), 'utf8');
  const script = [...preludes, name].map(read).join('');
  const source = `#!lua flags=${flags}\n${read('server')}${many ? `${MANY}${script}end\n${read('many')}` : script}`;
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
