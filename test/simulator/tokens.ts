// Stands in for `node:crypto` inside the engine: tokens that a seed repeats, and digests that are computed once.
import { createHash as realHash } from 'node:crypto';

let tokens = 0;

/** Unique in this process, which is all that a token has to be. */
export const randomBytes = (_bytes: number) => ({ toString: (_encoding: string) => `t${++tokens}.` });

export const randomUUID = () => `t${++tokens}.`;

const digests = new Map<string, Buffer>();

export const createHash = (algorithm: string) => ({
  update: (text: string) => ({
    digest: (encoding?: 'hex') => {
      const name = `${algorithm} ${text}`;
      const digest = digests.get(name) ?? realHash(algorithm).update(text).digest();
      digests.set(name, digest);
      return encoding ? digest.toString(encoding) : digest;
    },
  }),
});

export const hash = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex');
