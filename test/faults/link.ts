// One link of a gateway: a TCP proxy that a fault can cut, hold, delay, or make swallow what it carries, and that shows
// whoever taps it each piece before it goes on.
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Held traffic arrives later; swallowed traffic never does, though its connection seems to stand. */
export type Flow = 'open' | 'held' | 'swallowed';
export type Side = 'requests' | 'replies';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Sees each piece before it is sent on; the piece waits for the promise, if there is one. */
export type Tap = (side: Side, piece: Buffer, connection: LinkConnection) => Promise<void> | undefined;

export interface LinkOptions {
  readonly target: () => Target;
  /** Where to listen; 0 takes any free port. */
  readonly port?: number;
  /** A tap that stays. */
  readonly watch?: Tap;
  /** Changes what servers say of their addresses. Undefined: there is more to come before that can be done. */
  readonly rewrite?: (reply: Buffer) => Buffer | undefined;
}

export class Link {
  readonly connections = new Set<LinkConnection>();
  readonly taps = new Set<Tap>();
  /** Pieces and connections that something was done to. */
  harmed = 0;
  readonly #options: LinkOptions;
  readonly #server: Server;
  readonly #flows: { requests: Flow; replies: Flow } = { requests: 'open', replies: 'open' };
  #delay: (connection: LinkConnection, side: Side) => number = () => 0;
  #refusing = false;
  #opened: (() => void)[] = [];

  private constructor(options: LinkOptions) {
    this.#options = options;
    this.#server = createServer({ noDelay: true }, (near) => this.#accept(near));
  }

  static async open(options: LinkOptions): Promise<Link> {
    const link = new Link(options);
    link.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address ? address.port : 0;
  }

  /** What happens to traffic from now on. Connections that had something swallowed are cut when it is open again. */
  flow(requests: Flow, replies: Flow): void {
    Object.assign(this.#flows, { requests, replies });
    const opened = this.#opened;
    this.#opened = [];
    for (const go of opened) go();
    if (requests !== 'swallowed' && replies !== 'swallowed') {
      for (const connection of this.connections) if (connection.tainted) connection.reset();
    }
  }

  flowOf(side: Side): Flow {
    return this.#flows[side];
  }

  /** Resolves once traffic of this side is no longer held. */
  async unheld(side: Side): Promise<void> {
    while (this.#flows[side] === 'held') await new Promise<void>((resolve) => this.#opened.push(resolve));
  }

  /** Each piece arrives so many milliseconds later; without `delay`, at once. */
  delay(delay: (connection: LinkConnection, side: Side) => number = () => 0): void {
    this.#delay = delay;
  }

  delayOf(connection: LinkConnection, side: Side): number {
    return this.#delay(connection, side);
  }

  /** Resets every connection. */
  cut(): void {
    this.harmed += this.connections.size;
    for (const connection of this.connections) connection.reset();
  }

  /** Whether new connections are reset at once. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /** Everything as on the first day. */
  mend(): void {
    this.taps.clear();
    this.delay();
    this.refuse(false);
    this.flow('open', 'open');
  }

  async close(): Promise<void> {
    this.#refusing = true;
    this.cut();
    this.flow('open', 'open');
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }

  /** What the taps make `piece` wait for. */
  async tapped(side: Side, piece: Buffer, connection: LinkConnection): Promise<void> {
    this.#options.watch?.(side, piece, connection);
    for (const tap of this.taps) await tap(side, piece, connection);
  }

  /** Whether nobody wants to see what goes by. */
  get unwatched(): boolean {
    return this.taps.size === 0 && this.#options.watch === undefined;
  }

  #accept(near: Socket): void {
    near.on('error', () => near.destroy());
    if (this.#refusing) {
      this.harmed++;
      near.resetAndDestroy();
      return;
    }
    const connection = new LinkConnection(this, near, this.#options);
    this.connections.add(connection);
    connection.closed.then(() => this.connections.delete(connection));
  }
}

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** A connection through a link. */
export class LinkConnection {
  /** Something of it was swallowed: it can never make sense again. */
  tainted = false;
  /** Resolves when both ends are gone. */
  readonly closed: Promise<void>;
  /** What a tap wants to remember of this connection. */
  readonly memory = new Map<string, unknown>();
  readonly #link: Link;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #pending: { readonly [side in Side]: Piece[] } = { requests: [], replies: [] };
  readonly #pumping = { requests: false, replies: false };
  readonly #rewrite: LinkOptions['rewrite'];
  #unwritten: Buffer | undefined;

  constructor(link: Link, near: Socket, { target, rewrite }: LinkOptions) {
    this.#link = link;
    this.#near = near;
    this.#rewrite = rewrite;
    this.#far = connect({ ...target(), noDelay: true });
    let ended = 0;
    this.closed = new Promise((resolve) => {
      const end = () => {
        if (++ended === 2) resolve();
      };
      near.once('close', end);
      this.#far.once('close', end);
    });
    near.on('data', (bytes) => this.#receive('requests', bytes));
    this.#far.on('data', (bytes) => this.#receive('replies', bytes));
    this.#far.on('error', () => {});
    // What a client sent before it went is still on its way.
    near.once('close', () => void this.#drained('requests').then(() => this.#far.destroy()));
    this.#far.once('close', (failed) => {
      void this.#drained('replies').then(() => (failed ? near.resetAndDestroy() : near.destroySoon()));
    });
  }

  /** Ends both halves as a lost peer does. */
  reset(): void {
    for (const side of ['requests', 'replies'] as const) this.#pending[side].length = 0;
    for (const socket of [this.#near, this.#far]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #receive(side: Side, bytes: Buffer): void {
    if (this.#link.flowOf(side) === 'swallowed') {
      this.#taint();
      return;
    }
    const delayMs = this.#link.delayOf(this, side);
    if (delayMs > 0) this.#link.harmed++;
    this.#pending[side].push({ bytes, dueMs: performance.now() + delayMs });
    if (!this.#pumping[side]) void this.#pump(side);
  }

  async #pump(side: Side): Promise<void> {
    const [from, to] = side === 'requests' ? [this.#near, this.#far] : [this.#far, this.#near];
    this.#pumping[side] = true;
    for (let piece = this.#pending[side][0]; piece; piece = this.#pending[side][0]) {
      if (this.#link.flowOf(side) === 'held') {
        this.#link.harmed++;
        await this.#link.unheld(side);
      }
      const waitMs = piece.dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (!this.#link.unwatched) await this.#link.tapped(side, piece.bytes, this);
      this.#pending[side].shift();
      if (to.destroyed) break;
      if (this.#link.flowOf(side) === 'swallowed') {
        this.#taint();
        continue;
      }
      const bytes = side === 'replies' ? this.#rewritten(piece.bytes) : piece.bytes;
      if (!bytes || to.write(bytes)) continue;
      from.pause();
      await new Promise<void>((resolve) => to.once('drain', resolve).once('close', resolve));
      from.resume();
    }
    this.#pumping[side] = false;
  }

  #taint(): void {
    this.tainted = true;
    this.#link.harmed++;
  }

  #rewritten(reply: Buffer): Buffer | undefined {
    if (!this.#rewrite) return reply;
    const whole = this.#unwritten ? Buffer.concat([this.#unwritten, reply]) : reply;
    const rewritten = this.#rewrite(whole);
    this.#unwritten = rewritten ? undefined : whole;
    return rewritten;
  }

  /** Resolves once nothing of this side is on its way any more. */
  async #drained(side: Side): Promise<void> {
    while (this.#pumping[side] && this.#pending[side].length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
