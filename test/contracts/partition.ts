// One partition of a store under test, and short words for what the engine does to the entries `note:<key>` in it.
import type { Part } from '../../src/cache/part.js';
import type {
  DropItem,
  EntryFacts,
  Guard,
  Guarded,
  Hit,
  Meta,
  PatchItem,
  ReadReply,
  Store,
} from '../../src/cache/store.js';
import type { Shape } from '../../src/cache/view.js';

export interface Value {
  readonly field: string;
  readonly version: string;
  readonly changedAtMs: number;
  readonly ttlMs: number;
  readonly value: string | null;
  readonly shape: Shape;
  readonly members: readonly string[] | null;
}

/** A value to store; only what matters to the test is named. */
export function value(
  named: Partial<Omit<Value, 'value'>> & { readonly json?: string | null | undefined } = {},
): Value {
  const { json = '"value"', ...rest } = named;
  const shape = rest.members ? 'list' : 'text';
  return { field: 'value@1', version: '1', changedAtMs: 0, ttlMs: 60_000, shape, members: null, ...rest, value: json };
}

/** A change of single members. */
export type Change = Pick<PatchItem, 'from' | 'version' | 'set' | 'remove' | 'count'>;

/** A reply to a reader, without what only its sender has use for. */
export type Read = Exclude<ReadReply, { kind: 'lease' }> | { readonly kind: 'lease'; readonly xids: readonly string[] };

export type Drop = Omit<DropItem, 'view'>;

export class Partition {
  readonly store: Store;
  readonly partition: number;
  readonly guard: Guard;
  readonly #tokens = new Map<string, string>();

  constructor(store: Store, partition: number, guard: Guard) {
    this.store = store;
    this.partition = partition;
    this.guard = guard;
  }

  /** A partition whose first generation has begun, with the cursor `start`. */
  static async begin(store: Store, partition: number): Promise<Partition> {
    const incarnation = (await store.meta([partition]))[0]?.incarnation ?? '';
    const guard = { incarnation, epoch: '1', generation: '1' };
    if (!(await store.begin(partition, guard, 'start'))) throw new Error('The partition had begun before.');
    return new Partition(store, partition, guard);
  }

  /** What the store made of the secret of that name when it granted it last; the name itself where it never did. */
  token(key: string, secret: string): string {
    return this.#tokens.get(`${key} ${secret}`) ?? secret;
  }

  get where() {
    return { partition: this.partition, guard: this.guard };
  }

  /** The same partition, addressed under another guard. */
  under(guard: Guard): Partition {
    return new Partition(this.store, this.partition, guard);
  }

  /** Begins the next generation. */
  async next(): Promise<Partition> {
    const { epoch, generation, incarnation } = this.guard;
    const next = { incarnation, epoch: String(Number(epoch) + 1), generation: String(Number(generation) + 1) };
    if (!(await this.store.begin(this.partition, next, 'start'))) throw new Error('The generation did not begin.');
    return this.under(next);
  }

  async read(key: string, token: string, { field = 'value@1', part }: { field?: string; part?: Part } = {}) {
    const items = [{ view: 'note', key, field, secret: token, part }];
    return this.#granted(key, token, only(await this.store.read([{ ...this.where, items }])));
  }

  async readAll(keys: readonly string[]): Promise<readonly Read[]> {
    const items = keys.map((key) => ({ view: 'note', key, field: 'value@1', secret: `token ${key}` }));
    const replies = all(await this.store.read([{ ...this.where, items }]));
    return replies.map((reply, at) => this.#granted(keys[at] ?? '', `token ${keys[at]}`, reply));
  }

  async renew(key: string, token: string, field = 'value@1'): Promise<'granted' | 'refused'> {
    const items = [{ view: 'note', key, field, secret: token }];
    const [granted] = all(await this.store.renew([{ ...this.where, items }]));
    if (granted === undefined) return 'refused';
    this.#tokens.set(`${key} ${token}`, granted);
    return 'granted';
  }

  /** Keeps the token in mind that came with a lease. */
  #granted(key: string, secret: string, reply: ReadReply): Read {
    if (reply.kind !== 'lease') return reply;
    const { token, ...rest } = reply;
    this.#tokens.set(`${key} ${secret}`, token);
    return rest;
  }

  /** The value of a hit. */
  async value(key: string): Promise<string | null> {
    return hit(await this.read(key, 'unused')).value;
  }

  /** The rows of a hit. */
  async page(key: string, first: number, last: number, field = 'value@1'): Promise<readonly (string | null)[]> {
    return hit(await this.read(key, 'unused', { field, part: { kind: 'rows', first, last } })).members;
  }

  async fill(key: string, token: string, value: Value): Promise<'filled' | 'refused'> {
    return (await this.stampOfFill(key, token, value)) === undefined ? 'refused' : 'filled';
  }

  /** The stamp of what was stored; undefined where nothing was. */
  async stampOfFill(key: string, token: string, value: Value): Promise<string | undefined> {
    const items = [{ view: 'note', key, token: this.token(key, token), ...value }];
    return all(await this.store.fill([{ ...this.where, items }]))[0];
  }

  /** Brings an entry to hold `value`, whatever it held before. */
  async filled(key: string, value: Value): Promise<void> {
    await this.fence([key], '1', `filled ${key}`);
    const reply = await this.publish(key, `filled ${key}`, '1', value);
    if (reply !== 'published') throw new Error(`${key} could not be filled.`);
  }

  async fence(keys: readonly string[], xid: string, token: string) {
    const items = keys.map((key) => ({ view: 'note', key }));
    const granted = all(await this.store.fence([{ ...this.where, items }], xid, token));
    for (const [at, each] of granted.entries()) this.#tokens.set(`${keys[at]} ${token}`, each);
    return granted.length;
  }

  async publish(key: string, token: string, xid: string, value: Value) {
    const items = [{ view: 'note', key, token: this.token(key, token), xid, ...value }];
    return only(await this.store.publish([{ ...this.where, items }]));
  }

  async patch(key: string, token: string, xid: string, change: Change) {
    const item = {
      view: 'note',
      key,
      token: this.token(key, token),
      xid,
      field: 'value@1',
      changedAtMs: 0,
      ttlMs: 60_000,
      ...change,
    };
    return only(await this.store.patch([{ ...this.where, items: [item] }]));
  }

  /** A part of a hit, with the number of members in the whole. */
  async part(key: string, part: Part): Promise<{ members: readonly (string | null)[]; count: number }> {
    const { members, count } = hit(await this.read(key, 'unused', { part }));
    return { members, count };
  }

  async drop(key: string, drop: Omit<Drop, 'key'>) {
    return only(await this.store.drop([{ ...this.where, items: [{ view: 'note', key, ...drop }] }]));
  }

  async dropAll(drops: readonly Drop[]) {
    const items = drops.map((drop) => ({ view: 'note', ...drop }));
    return all(await this.store.drop([{ ...this.where, items }]));
  }

  async advance(from: string, to: string): Promise<boolean | undefined> {
    return (await this.store.advance([{ ...this.where, from, to }]))[0];
  }

  async meta(): Promise<Meta> {
    const [meta] = await this.store.meta([this.partition]);
    if (!meta) throw new Error('The store gave no meta.');
    return meta;
  }

  /** Keys of all entries with a fence. */
  async fences(): Promise<readonly string[]> {
    return (await this.store.standingFences(this.where, 0)).map(({ key }) => key);
  }

  peek(key: string, part?: Part): Promise<Hit | undefined> {
    return this.store.peek(this.partition, { view: 'note', key, field: 'value@1', part });
  }

  /** The stamp of the value that stands; undefined where none does. */
  async standing(key: string): Promise<string | undefined> {
    return all(await this.store.standing([{ ...this.where, items: [{ view: 'note', key }] }]))[0];
  }

  inspect(key: string): Promise<EntryFacts> {
    return this.store.inspect(this.where, 'note', key, 'value@1');
  }
}

function all<Reply>([guarded]: readonly Guarded<Reply>[]): readonly Reply[] {
  if (guarded?.kind === 'unavailable') throw guarded.error;
  if (guarded?.kind !== 'done') throw new Error('The guard did not hold.');
  return guarded.replies;
}

function only<Reply>(guarded: readonly Guarded<Reply>[]): Reply {
  const [reply] = all(guarded);
  if (reply === undefined) throw new Error('The store gave no reply.');
  return reply;
}

function hit(reply: Read): Hit {
  if (reply.kind !== 'hit') throw new Error(`A hit was expected, not ${reply.kind}.`);
  return reply;
}
