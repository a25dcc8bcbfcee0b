// What the first process and its workers say to each other, over the channel that each worker is born with.

export type Message =
  /** Of a worker: it listens. What was said to it before is lost. */
  | { readonly kind: 'here' }
  /** To a worker: what it is to do. */
  | { readonly kind: 'task'; readonly task: unknown }
  /** To a worker: end in good order. */
  | { readonly kind: 'stop' }
  /** Of a worker: it does its work; with what there is to tell of that. */
  | { readonly kind: 'serving'; readonly report: unknown }
  /** Of either. */
  | { readonly kind: 'question'; readonly id: number; readonly name: string }
  /** Undefined where there is none. */
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown };

const KINDS: ReadonlySet<unknown> = new Set<Message['kind']>(['here', 'task', 'stop', 'serving', 'question', 'answer']);

/** The message that `raw` is; undefined for what is not ours, such as Node's own. */
export function decodeMessage(raw: unknown): Message | undefined {
  if (typeof raw !== 'object' || raw === null || !('kind' in raw) || !KINDS.has(raw.kind)) return undefined;
  return raw as Message;
}
