// All views, in one list: the engine is given it, and so are the environment's names of their TTLs.
import type { AnyView } from '../cache/index.js';
import type { Query } from '../db/index.js';
import { accountView, statementLinesView, statementView } from './bank-statement.js';
import { flagsView } from './flag.js';
import { environmentView } from './flag-environment.js';
import { menuView } from './menu.js';
import { secretView } from './secret.js';
import { securityListView } from './security-list.js';
import { parameterView } from './security-parameter.js';
import { tokenIdView, tokenView } from './token.js';

export const views: readonly AnyView<Query>[] = [
  menuView,
  accountView,
  statementView,
  statementLinesView,
  tokenView,
  tokenIdView,
  flagsView,
  environmentView,
  parameterView,
  securityListView,
  secretView,
];
