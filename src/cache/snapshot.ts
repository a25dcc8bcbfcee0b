// Reads `pg_snapshot` texts: `xmin:xmax:xip,xip…`.

/**
 * Whether transaction `xid` had ended, one way or the other, in `snapshot`, so that data read in it already shows
 * whatever the transaction did.
 */
export function endedIn(snapshot: string, xid: string): boolean {
  const [xmin = '0', xmax = '0', inProgress = ''] = snapshot.split(':');
  const id = BigInt(xid);
  if (id < BigInt(xmin)) return true;
  if (id >= BigInt(xmax)) return false;
  return !inProgress.split(',').includes(xid);
}
