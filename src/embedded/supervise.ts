// Runs a server so that it ends when we say so and never outlives us. Between us and the server stands a small shell in
// a session of its own: a terminal's Ctrl-C does not reach it, and it stops the server when our end of a pipe closes,
// which the kernel sees to even when we are killed with -9.

import { type ChildProcess, spawn } from 'node:child_process';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { hasCode, ServerFailed } from './errors.js';
import type { ServerUser } from './user.js';

export type Task = {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly user: ServerUser | undefined;
  /** What asks this program to end in good order. */
  readonly stopSignal: 'INT' | 'TERM';
  /** What it reads from its standard input: the place for secrets, which arguments would show to everyone. */
  readonly input?: string;
};

export type Supervised = {
  /** Resolves once a line of output matches. @throws {ServerFailed} when it ends first, or `timeoutMs` pass. */
  readonly says: (line: RegExp, timeoutMs: number) => Promise<void>;
  /** Resolves once it ends by itself, in good order. @throws {ServerFailed} otherwise, or when `timeoutMs` pass. */
  readonly done: (timeoutMs: number) => Promise<void>;
  /** Ends it, in good order if it can, by force after 10 s. Resolves once it is gone; may be called twice. */
  readonly stop: () => Promise<void>;
};

// $1 is the signal, the rest is the command. Descriptor 3 is our lifeline: it says nothing and closes when we end.
// The signal is repeated because a child that has not yet become the server ignores it; a server deaf to it for 20 s
// is killed. HUP, INT and TERM are for the lifeline's owner; servers set handlers of their own. USR1 ends a watcher whose
// server ended by itself; one that is busy stopping it ignores that, and both leave no zombie.
const script = `
trap '' HUP INT TERM
signal=$1; shift
exec 4<&0 </dev/null
"$@" <&4 3<&- 4<&- &
child=$!
exec 4<&-
(
  while read -r line <&3; do :; done
  trap '' USR1
  tries=0
  while kill -s "$signal" "$child"; do
    sleep 0.1 && tries=$((tries + 1))
    [ "$tries" -lt 200 ] || signal=KILL
  done
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"
status=$?
kill -s USR1 "$watcher"
wait "$watcher" 2>/dev/null
exit "$status"
`;

const keptLines = 20;
const stopMs = 10_000;

/** Starts `task` under supervision; what it prints is kept for error messages only. */
export function supervise(task: Task): Supervised {
  const child = spawn('/bin/sh', ['-c', script, 'espelho', task.stopSignal, task.program, ...task.args], {
    cwd: task.folder,
    detached: true,
    // Only these: PGDATA and its like must not steer our servers, the messages that we wait for are English, and the
    // script finds its sleep whatever our own PATH is.
    env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    ...(task.user && { uid: task.user.uid, gid: task.user.gid }),
  });
  const name = basename(task.program);
  const output = listen(child);
  const ended = endOf(child);
  child.stdin?.on('error', () => undefined).end(task.input ?? ''); // a program that died early reads no input

  const failed = (what: string) => new ServerFailed(name, what, output.lastLines());
  const within = async <T>(promise: Promise<T>, timeoutMs: number): Promise<T> => {
    const timer = timeout(timeoutMs);
    try {
      return await Promise.race([
        promise,
        timer.passed.then(() => Promise.reject(failed(`took over ${timeoutMs} ms`))),
      ]);
    } finally {
      timer.clear();
    }
  };
  return {
    says: (line, timeoutMs) => {
      const early = ended.then((how) => Promise.reject(failed(`ended before it was ready (${how})`)));
      return within(Promise.race([output.until(line), early]), timeoutMs);
    },
    done: async (timeoutMs) => {
      const how = await within(ended, timeoutMs);
      if (how !== 'status 0') throw failed(`ended with ${how}`);
    },
    stop: async () => {
      lifelineOf(child)?.destroy();
      const timer = timeout(stopMs);
      await Promise.race([ended, timer.passed]);
      timer.clear();
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
      killGroup(child.pid);
      await ended;
    },
  };
}

/** Runs `task` to its end. @throws {ServerFailed} when it fails, or `timeoutMs` pass; nothing of it runs on then. */
export async function runToEnd(task: Task, timeoutMs: number): Promise<void> {
  const supervised = supervise(task);
  try {
    await supervised.done(timeoutMs);
  } finally {
    await supervised.stop();
  }
}

type Output = { until: (line: RegExp) => Promise<void>; lastLines: () => readonly string[] };

function listen(child: ChildProcess): Output {
  const kept: string[] = [];
  const waiting = new Set<(line: string) => void>();
  const hear = (line: string) => {
    kept.push(line);
    if (kept.length > keptLines) kept.shift();
    for (const listener of waiting) listener(line);
  };
  for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on('line', hear);
  const until = (wanted: RegExp) =>
    new Promise<void>((resolve) => {
      const listener = (line: string) => {
        if (!wanted.test(line)) return;
        waiting.delete(listener);
        resolve();
      };
      waiting.add(listener);
      for (const line of kept) listener(line);
    });
  return { until, lastLines: () => [...kept] };
}

// 'close' follows 'exit' once the output is read to its end, so that the last words are there when we report.
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(signal ?? `status ${status}`));
  });
}

// The shell and the server are one process group.
function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

function lifelineOf(child: ChildProcess): Readable | Writable | null | undefined {
  return child.stdio[3];
}

function timeout(ms: number): { passed: Promise<void>; clear: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return { passed, clear: () => clearTimeout(timer) };
}
