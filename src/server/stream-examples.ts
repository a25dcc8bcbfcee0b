// Subscriptions to begin with.
import { type Example, tokenOf } from './example.js';

export const streamExamples: readonly Example[] = [
  {
    title: 'Follow a menu: run it, then rename an item in another tab, or edit it with psql.',
    document: `subscription MenuChanged {
  menuChanged(keys: ["main"]) {
    key
    locale
    title
    version
    flatItems { key label }
  }
}`,
  },
  {
    title: 'Follow an account: tells of each day when it is closed or restated.',
    document: `${tokenOf('frontend or back-office')}subscription StatementReady {
  statementReady(account: "0001-1") {
    date
    status
    revision
    closing { decimal currency }
    account { latestBusinessDate }
  }
}`,
  },
];
