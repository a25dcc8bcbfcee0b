// Operations on feature toggles to begin with.
import { type Example, tokenOf } from './example.js';

export const flagExamples: readonly Example[] = [
  {
    title: 'A toggle, evaluated by the gateway. The environment is public, so no token is needed.',
    document: `query EvaluateFlag {
  evaluateFlag(
    environment: "production"
    key: "support-number"
    context: { targetingKey: "ana", country: "BR" }
    default: "+55 11 0000-0000"
  ) { value variant reason errorCode version }
}`,
  },
  {
    title: 'All toggles at once. Evaluating never fails a query: a toggle that cannot be evaluated says why.',
    document: `query EvaluateFlags {
  evaluateFlags(environment: "production", context: { targetingKey: "ana", country: "PT" }) {
    key value variant reason errorCode
  }
}`,
  },
  {
    title: 'Switch a toggle on: one field of the environment moves to Redis.',
    document: `${tokenOf('back-office')}mutation ToggleFlag {
  toggleFlag(environment: "production", key: "dark-mode", enabled: true, options: { reason: "ready" }) {
    __typename
    ... on ToggleFlagPayload { receipt { version visible } flag { key enabled } }
    ... on UserError { code message }
  }
}`,
  },
  {
    title: 'Bring a toggle to another environment: its definition moves, its switch there stays as it is.',
    document: `${tokenOf('back-office')}mutation PromoteFlag {
  promoteFlag(key: "support-number", from: "production", to: "staging", options: { dryRun: true }) {
    __typename
    ... on PromoteFlagPayload { receipt { version visible dryRun } flag { environment key enabled definition } }
    ... on UserError { code message }
  }
}`,
  },
  {
    title: 'Make an environment like another one: all its toggles at once. Leave dryRun out to do it.',
    document: `${tokenOf('back-office')}mutation CopyEnvironment {
  copyEnvironment(from: "production", to: "preview", options: { dryRun: true }) {
    __typename
    ... on CopyEnvironmentPayload { receipt { visible dryRun } environment { key flagCount } copied unchanged }
    ... on UserError { code message path }
  }
}`,
  },
  {
    title: 'Toggles that nobody has evaluated for 30 days, on whatever gateway: candidates for archiveFlag.',
    document: `${tokenOf('back-office')}query StaleFlags {
  staleFlags(environment: "production", days: 30) {
    edges { node { lastEvaluatedAt flag { key enabled description updatedAt } } }
    pageInfo { hasNextPage endCursor }
  }
}`,
  },
];
