// Which forms of an answer a client takes. Yoga is told only the forms that we know, each once: it repeats what it is
// asked for in its answer, and 15 KB of commas came back as 2 MB of headers.

import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.js';

const json = 'application/json';
const known = [json, 'application/graphql-response+json', 'text/event-stream'] as const;
export type MediaType = (typeof known)[number];
const jsonAlone: readonly MediaType[] = [json];

/** Whether a person's browser asks, rather than a program. */
export function wantsHtml({ headers }: IncomingMessage): boolean {
  return headers.accept?.includes('text/html') ?? false;
}

/**
 * The forms that the client takes, the dearest first; JSON where it does not mind.
 * @throws {Refusal} when it takes none of ours, or its list is too long.
 */
export function acceptedTypes({ headers }: IncomingMessage, maxBytes: number): readonly MediaType[] {
  const accept = headers.accept ?? '*/*';
  if (accept === json || accept === '*/*') return jsonAlone;
  if (accept.length > maxBytes) {
    const sentence = `The Accept header is longer than ${maxBytes} bytes; "accept: ${json}" is enough.`;
    throw new Refusal('LIMIT_EXCEEDED', sentence, { status: 431 });
  }
  const ranges = accept.split(',').map(readRange);
  const wanted = ranges.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
  const types = new Set(wanted.flatMap(({ range }) => matches(range)));
  if (types.size === 0) {
    const sentence = `We answer in ${known.join(', ')}; the Accept header allows none of them.`;
    throw new Refusal('BAD_REQUEST', sentence, { status: 406 });
  }
  return [...types];
}

function readRange(text: string) {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { range, weight: Number.isFinite(weight) ? weight : 0 };
}

function matches(range: string): readonly MediaType[] {
  if (range === '*/*' || range === 'application/*') return [json];
  return known.filter((type) => type === range);
}
