// Transactions that end with their connection. postgres.js connects anew under the same hood: a body that ran on would
// send its next statement, or its COMMIT, into somebody else's transaction, or to a socket that is no more, which throws
// where nobody can catch it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type postgres from 'postgres';

type Body = (tx: postgres.TransactionSql) => Promise<unknown>;

/** `client`, but nothing that a transaction's body does after its connection was lost reaches the driver. */
export function lasting(client: postgres.Sql): postgres.Sql {
  return new Proxy(client, {
    get: (target, name) => (name === 'begin' ? (body: Body) => begin(target, body) : Reflect.get(target, name)),
  });
}

/**
 * Numbered: 1. the connection closes; 2. the driver rejects the statement at work, and the transaction; 3. the body hears
 * of it and ends; 4. the driver sends ROLLBACK, which must not happen. So the body of a lost transaction never ends.
 */
function begin(client: postgres.Sql, body: Body): Promise<unknown> {
  let lost = false;
  const never = new Promise<never>(() => {});
  const transaction = client.begin(async (tx) => {
    try {
      const result = await body(whileConnected(tx, () => !lost));
      return lost ? never : result;
    } catch (error) {
      await nextTurn(); // 2 has two halves, and the statement's comes first
      if (lost) await never;
      throw error;
    }
  });
  transaction.catch(() => {
    lost = true;
  });
  return transaction;
}

const MAX_PREPARED = 24;

function whileConnected(tx: postgres.TransactionSql, connected: () => boolean): postgres.TransactionSql {
  return new Proxy(tx, {
    get: (target, name) => {
      if (name !== 'unsafe') return Reflect.get(target, name);
      if (!connected()) throw new ConnectionLost('The connection was lost.');
      // Prepared: else the driver asks for the types of the parameters first, a round-trip more for each statement. Not where
      // there are many: such texts differ from one call to the next, and the session would keep them all.
      return (text: string, parameters: postgres.ParameterOrJSON<never>[] = []) =>
        target.unsafe(text, parameters, { prepare: parameters.length > 0 && parameters.length <= MAX_PREPARED });
    },
  });
}

class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly code = 'CONNECTION_CLOSED';
}

/**
 * A session option that changes nothing but is long. What postgres.js had not yet sent when a connection closed it sends
 * before the greeting of the next one, and then not until there is 1 KB of it: a greeting of that length goes out, is
 * refused once, and the connection works again, instead of timing out for a minute.
 */
export const LONG_GREETING = `-c escape_string_warning=on${' '.repeat(1_024)}`;
