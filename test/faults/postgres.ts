// The Postgres of a run: embedded, with its process in our hands. A restart may come back on another port: links follow.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import postgres from 'postgres';
import { type Binaries, findBinaries } from '../../src/embedded/binaries.js';
import { findPlace, makeHome, type Place } from '../../src/embedded/home.js';
import { type PostgresServer, startPostgres } from '../../src/embedded/postgres.js';
import type { Target } from './link.js';

export class Postgres {
  readonly #place: Place;
  readonly #binaries: Binaries;
  #server: PostgresServer;
  #client: postgres.Sql | undefined;

  private constructor(place: Place, binaries: Binaries, server: PostgresServer) {
    this.#place = place;
    this.#binaries = binaries;
    this.#server = server;
  }

  /** Starts a server with files below `home`. */
  static async start(home: string): Promise<Postgres> {
    await makeHome(home);
    const place = await findPlace(home);
    const binaries = await findBinaries(place);
    return new Postgres(place, binaries, await startPostgres(place, binaries));
  }

  get target(): Target {
    return { host: '127.0.0.1', port: Number(new URL(this.#server.url).port) };
  }

  /** Past all links, for psql; another database where one is named. */
  url({ port = this.target.port, database = 'espelho' } = {}): string {
    const url = new URL(this.#server.url);
    url.port = String(port);
    url.pathname = database;
    return url.href;
  }

  /** A session pool that knows nothing of gateways; a new one after each restart. */
  get psql(): postgres.Sql {
    this.#client ??= postgres(this.url(), {
      max: 6,
      onnotice: () => {},
      connect_timeout: 5,
      connection: { application_name: 'psql', lock_timeout: 3_000, statement_timeout: 20_000 },
    });
    return this.#client;
  }

  /** Where the files are, which lie outside the home when root starts the server. */
  get folder(): string {
    return this.#place.folder;
  }

  async pid(): Promise<number> {
    return Number((await readFile(join(this.#server.data, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  }

  /** The backends that serve gateways; those in the middle of a transaction alone, where there are any. */
  async backends(): Promise<number[]> {
    const rows = await this.psql<{ pid: number; busy: boolean }[]>`
      SELECT pid, xact_start IS NOT NULL AS busy FROM pg_stat_activity WHERE application_name LIKE 'espelho%'`;
    const busy = rows.filter((row) => row.busy);
    return (busy.length > 0 ? busy : rows).map(({ pid }) => pid);
  }

  /** Ends it like `pg_ctl -m immediate`, without a checkpoint, and starts it again. */
  async restartImmediately(): Promise<void> {
    process.kill(await this.pid(), 'SIGQUIT');
    await this.#forgetSessions();
    await this.#server.stop();
    this.#server = await startPostgres(this.#place, this.#binaries);
    // Those of whoever asked meanwhile know the old port.
    await this.#forgetSessions();
  }

  async stop(): Promise<void> {
    await this.#forgetSessions();
    await this.#server.stop();
  }

  async #forgetSessions(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end({ timeout: 0 }).catch(() => {});
  }
}
