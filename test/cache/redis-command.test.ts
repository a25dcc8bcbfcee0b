// A script's call goes out in the very bytes that the client itself would write.
import { Command } from 'ioredis';
import { expect, it } from 'vitest';
import { ScriptCommand } from '../../src/cache/redis-command.js';

it.each([
  ['no keys and no arguments', [], []],
  ['empty words and numbers', ['', 'key'], ['', 0, -1.5, 9_007_199_254_740_991]],
  ['words beyond ASCII', ['{p}e:menu:ação'], ['€', '\u{1f600}', '\r\n$1']],
  ['long words', ['k'.repeat(300)], ['€'.repeat(10_000), 'x'.repeat(255), 'x'.repeat(256)]],
])('%s', (_, keys: string[], args: (string | number)[]) => {
  const usual = new Command('EVALSHA', ['a digest', keys.length, ...keys, ...args]).toWritable({});
  const written = new ScriptCommand('EVALSHA', 'a digest', keys, args).toWritable();
  expect(Buffer.compare(Buffer.from(written), Buffer.from(usual))).toBe(0);
});
