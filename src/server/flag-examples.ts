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
];
