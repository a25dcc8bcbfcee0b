// Operations on what all mutations share: dry runs, idempotency keys, and the audit log.
import { type Example, tokenOf } from './example.js';

export const writeExamples: readonly Example[] = [
  {
    title:
      'A dry run: all checks, what would be, and nothing written. Leave dryRun out and send it twice: it happens once.',
    document: `${tokenOf('back-office')}mutation RenameOnce($key: String!, $dryRun: Boolean) {
  renameMenuItem(key: "main", item: "accounts", label: "My accounts",
    options: { idempotencyKey: $key, dryRun: $dryRun, reason: "wording" }) {
    ... on RenameMenuItemPayload {
      menu { version items { key label } }
      receipt { changeId version visible dryRun }
    }
    ... on UserError { code message path }
  }
}`,
    variables: JSON.stringify({ key: 'a name of your own', dryRun: true }, null, 2),
  },
  {
    title: 'The audit log, the newest first: who did what, why, and the facts before and after.',
    document: `${tokenOf('operator')}query Changes {
  changes(first: 20) {
    edges { node { id at actor action domain key reason before after } }
    pageInfo { hasNextPage endCursor }
  }
}`,
  },
  {
    title: 'Restate a closed day: another revision with these transactions; the days after it are carried on.',
    document: `${tokenOf('back-office')}mutation Restate($date: Date!) {
  restateBusinessDay(account: "0001-1", date: $date, lines: [
    { externalId: "corrected-1", minor: "-1990", description: "Subscription, corrected", kind: "CARD" }
  ], options: { dryRun: true, reason: "the merchant's correction" }) {
    ... on RestateBusinessDayPayload {
      statement {
        date status revision
        opening { decimal } totalCredits { decimal } totalDebits { decimal } closing { decimal }
        lines { edges { node { externalId amount { decimal } description } } }
      }
      receipt { version dryRun }
    }
    ... on UserError { code message path }
  }
}`,
    variables: JSON.stringify({ date: 'a date that statement showed' }, null, 2),
  },
];
