// Operations on tokens to begin with, beside issuing and revoking one.
import { type Example, tokenOf } from './example.js';

export const tokenExamples: readonly Example[] = [
  {
    title: 'Rotate a token: a new secret at once, and an hour in which the old one is still accepted.',
    document: `${tokenOf('security-officer')}mutation RotateToken($id: ID!) {
  rotateToken(id: $id, overlapSeconds: 3600, options: { reason: "quarterly" }) {
    ... on RotateTokenPayload {
      secret
      token { id prefix scopes status }
      replaced { id prefix status expiresAt }
      receipt { visible }
    }
    ... on UserError { code message path }
  }
}`,
    variables: JSON.stringify({ id: 'the id that IssueToken showed' }, null, 2),
  },
  {
    title: 'The active tokens of a subject, then none: every gateway refuses them once this is acknowledged.',
    document: `${tokenOf('security-officer')}query TokensOf {
  tokens(subject: "ana", status: ACTIVE, first: 20) {
    edges { node { id name prefix scopes createdAt expiresAt lastUsedAt replacedBy version } }
    pageInfo { hasNextPage endCursor }
  }
}

mutation RevokeTokensOf {
  revokeTokensOf(subject: "ana", options: { reason: "lost laptop" }) {
    ... on RevokeTokensOfPayload { revoked receipt { version visible } }
    ... on UserError { code message path }
  }
}`,
  },
];
