// What each peer is told when it starts, and how it tells where it is.

/** `{side, databaseUrl, redisUrl, pepper}`, as JSON on the command line. */
export const setting = JSON.parse(process.argv[2] ?? '{}');

/** Listens on a free port and prints the address. */
export function listen(server) {
  server.listen({ host: '127.0.0.1', port: 0 }, () => announce(server.address().port));
}

export const announce = (port) => console.log(`ready at http://127.0.0.1:${port}`);

process.on('SIGTERM', () => process.exit(0));
