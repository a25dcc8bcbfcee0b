// Messages between parties. Each request and each reply is on its way for as long as the weather says, and may be lost;
// a request may come twice. Who does not hear in time gives up without knowing what became of the request.
import type { Dice } from './dice.js';
import type { Party, Scheduler } from './scheduler.js';

/** How a schedule treats its messages. */
export interface Weather {
  /** Shares of messages. */
  loss: number;
  duplication: number;
  /** Of messages that are slow, and of those that are stuck. */
  slow: number;
  stuck: number;
  /** Of sleepers that oversleep. */
  oversleep: number;
  /** How often a relay looks: its pauses are longer by this. */
  pace: number;
}

/** Somebody who answers. */
export interface Server {
  readonly party: Party;
  /** Refuses connections. */
  down: boolean;
  /** A request may come twice, as through a proxy that asks again. */
  readonly repeats: boolean;
  /** Requests on their way, or waiting for a lock. */
  readonly unanswered: Set<Flight>;
}

interface Flight {
  /** Its sender notices that the connection is gone. */
  readonly lose: () => void;
  /** Its sender will give up in time: only then is that an event. */
  readonly watch: () => void;
}

export const server = (party: Party, repeats: boolean): Server => ({
  party,
  down: false,
  repeats,
  unanswered: new Set(),
});

/** Gives a reply to the request at hand, now or later. */
export type Execute<Reply> = (reply: (reply: Reply) => void, refuse: (error: unknown) => void) => void | Promise<void>;

/** What a request gives that is served at once, with no way to it. */
export const immediately = <Reply>(execute: Execute<Reply>): Promise<Reply> =>
  new Promise((resolve, reject) => void execute(resolve, reject));

export type Failure =
  | { readonly kind: 'timeout' | 'connection' }
  | { readonly kind: 'refused'; readonly error: unknown };

/** Nobody oversleeps, and nothing is on its way, for longer. */
const LONGEST_MS = 8_000;

export class Network {
  weather: Weather;
  /** Trouble ends then. */
  endMs = Number.POSITIVE_INFINITY;
  readonly faults: Record<string, number> = {};
  readonly #scheduler: Scheduler;
  readonly #dice: Dice;
  readonly #cuts = new Map<string, number>();
  readonly #heldUp = new Map<string, { readonly ms: number; readonly then: () => void }>();
  readonly #lost = new Map<string, number>();
  readonly #slow = new Map<string, { readonly ms: number; readonly untilMs: number }>();

  constructor(scheduler: Scheduler, dice: Dice, weather: Weather) {
    this.#scheduler = scheduler;
    this.#dice = dice;
    this.weather = weather;
  }

  count(fault: string): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1;
  }

  /** Nothing passes between the two until then. */
  cut(from: Party, to: Server, untilMs: number): void {
    this.#cuts.set(`${from.name} ${to.party.name}`, untilMs);
  }

  /** The next reply to such a request takes so long; `then` is called once the request has been served. */
  holdUp(to: Party, label: string, ms: number, then: () => void): void {
    this.#heldUp.set(`${to.name} ${label}`, { ms, then });
  }

  /** Every reply to such a request takes so long until then. */
  slow(to: Party, label: string, ms: number, untilMs: number): void {
    this.#slow.set(`${to.name} ${label}`, { ms, untilMs });
  }

  /** Most of such requests are lost until then. */
  lose(label: string, untilMs: number): void {
    this.#lost.set(label, untilMs);
  }

  mend(): void {
    this.#lost.clear();
    this.#cuts.clear();
    this.#heldUp.clear();
    this.#slow.clear();
  }

  /** Breaks every connection to a server. */
  reset(to: Server): void {
    for (const { lose } of to.unanswered) lose();
    to.unanswered.clear();
  }

  /** The server does nothing until then, and keeps its connections. */
  stop(to: Server, untilMs: number): void {
    to.party.stoppedUntilMs = untilMs;
    for (const { watch } of to.unanswered) watch();
  }

  #replyMs(name: string): number {
    const heldUp = this.#heldUp.get(name);
    this.#heldUp.delete(name);
    heldUp?.then();
    const slow = this.#slow.get(name);
    return heldUp?.ms ?? (slow && slow.untilMs > this.#scheduler.nowMs ? slow.ms : this.delayMs());
  }

  delayMs(): number {
    const { slow, stuck } = this.weather;
    const dice = this.#dice;
    const roll = dice.next();
    if (roll < stuck) {
      this.count('stuck message');
      return dice.magnitude(200, LONGEST_MS);
    }
    if (roll < stuck + slow) return dice.magnitude(2, 300);
    return dice.between(0.05, 0.8);
  }

  /** How long a sleep of `ms` really lasts. */
  sleepMs(ms: number): number {
    const paced = ms === 50 ? ms * this.weather.pace : ms === 100 ? ms * this.#dice.between(1, 4) : ms;
    const over = this.#dice.chance(this.weather.oversleep)
      ? this.#dice.magnitude(0.5, 30)
      : this.#dice.between(0, 0.05);
    // Whatever oversleeps wakes up soon after the trouble has ended.
    const leftMs = Math.max(0, this.endMs - this.#scheduler.nowMs) + 500;
    return Math.max(ms, Math.min(paced * (1 + over), LONGEST_MS, leftMs));
  }

  /** Sends a request whose outcome is told exactly once, or never if the sender dies. */
  send<Reply>(
    from: Party,
    to: Server,
    label: string,
    timeoutMs: number,
    execute: Execute<Reply>,
    succeed: (reply: Reply) => void,
    fail: (failure: Failure) => void,
  ): void {
    const scheduler = this.#scheduler;
    const dice = this.#dice;
    let settled = false;
    let watched = false;
    const sentMs = scheduler.nowMs;
    const settle = (act: () => void) => {
      if (settled) return;
      settled = true;
      act();
    };
    const giveUp = (afterMs: number, kind: 'timeout' | 'connection') =>
      scheduler.after(afterMs, from, '', () =>
        settle(() => {
          if (scheduler.tracing) scheduler.note(from.name, `${label}: ${kind}`);
          fail({ kind });
        }),
      );
    const watch = () => {
      if (!watched) giveUp(Math.max(0, sentMs + timeoutMs - scheduler.nowMs), 'timeout');
      watched = true;
    };
    const loses = (what: string) => {
      this.count(`lost ${what}`);
      if (dice.chance(0.5)) watch();
      else giveUp(this.delayMs(), 'connection');
    };
    if ((this.#cuts.get(`${from.name} ${to.party.name}`) ?? 0) > scheduler.nowMs) {
      if (dice.chance(0.7)) giveUp(0.2, 'connection');
      else watch();
      return;
    }
    const losing = (this.#lost.get(label) ?? 0) > scheduler.nowMs;
    if (dice.chance(losing ? 0.8 : this.weather.loss)) {
      loses('request');
      return;
    }
    const flight: Flight = { watch, lose: () => giveUp(this.delayMs(), 'connection') };
    const answer = (act: () => void, what: string) => {
      to.unanswered.delete(flight);
      if (settled) return;
      if (dice.chance(this.weather.loss)) return loses('reply');
      const delayMs = this.#replyMs(`${from.name} ${label}`);
      if (scheduler.nowMs + delayMs - sentMs > timeoutMs) watch();
      scheduler.after(delayMs, from, scheduler.tracing ? `${label} ${what}` : '', () => settle(act));
    };
    const arrive = () =>
      to.down
        ? flight.lose()
        : execute(
            (reply) => answer(() => succeed(reply), '→'),
            (error) => answer(() => fail({ kind: 'refused', error }), '→ refused'),
          );
    const delayMs = this.delayMs();
    to.unanswered.add(flight);
    if (to.party.stoppedUntilMs > scheduler.nowMs || delayMs > timeoutMs) watch();
    scheduler.after(delayMs, to.party, scheduler.tracing ? `${label} ⇐ ${from.name}` : '', arrive);
    if (!to.repeats || !dice.chance(this.weather.duplication)) return;
    this.count('duplicated request');
    scheduler.after(this.delayMs(), to.party, scheduler.tracing ? `${label} ⇐ ${from.name}, again` : '', () =>
      to.down
        ? undefined
        : execute(
            () => {},
            () => {},
          ),
    );
  }
}
