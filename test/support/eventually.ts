// Waiting for what no event tells: another process's work, or time in a server.

/**
 * Resolves once `check` gives something other than false or undefined; rejects after `withinMs`, which is no promise of the
 * product but the time after which a loaded machine counts as stuck.
 */
export async function eventually<Found>(
  check: () => Promise<Found | false | undefined> | Found | false | undefined,
  withinMs = 30_000,
): Promise<Found> {
  const startedMs = performance.now();
  for (;;) {
    const found = await check();
    if (found !== false && found !== undefined) return found;
    if (performance.now() - startedMs > withinMs) throw new Error(`Not within ${withinMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
