// Whatever the parsers of foreign text are given, they refuse it in their own way, and never otherwise. Long runs:
// npm run fuzz.
import { describe, it, vi } from 'vitest';
import { cursorClaims } from './cursors.js';
import { documentClaims } from './document-claims.js';
import { importClaims } from './imports.js';
import { replyClaims } from './replies.js';
import { statementClaims } from './statements.js';
import { tokenClaims } from './tokens.js';

vi.setConfig({ testTimeout: 120_000 });

describe.each([
  ['cursors', cursorClaims],
  ['tokens', tokenClaims],
  ['replies of the store', replyClaims],
  ['documents', documentClaims],
  ['statements', statementClaims],
  ['imports', importClaims],
])('%s', (_, claims) => {
  it.each(claims)('$title', ({ hold, parts }) => hold({ numRuns: Math.ceil(1_000 * Math.min(1, parts)) }));
});
