// A bound on every wait for Redis.
import { CacheUnavailable } from './errors.js';

/**
 * What `reply` resolves to, if it does within `ms`.
 * @throws {CacheUnavailable} otherwise; what `reply` comes to later is ignored.
 */
export function within<Reply>(ms: number, reply: Promise<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new CacheUnavailable(`Redis did not answer within ${Math.ceil(ms)} ms.`, 'timeout'));
    // A turn more: after a stall of this process the reply may lie in the socket, unread.
    const timer = setTimeout(() => setImmediate(giveUp), ms);
    reply.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
