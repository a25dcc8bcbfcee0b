CREATE TABLE "audit_seals" (
	"number" bigint PRIMARY KEY NOT NULL,
	"sealed_at" timestamp with time zone NOT NULL,
	"after" bigint NOT NULL,
	"up_to" bigint NOT NULL,
	"unsigned_to" bigint NOT NULL,
	"sequences" text NOT NULL,
	"tags" "bytea" NOT NULL,
	"key_id" text NOT NULL,
	"previous" "bytea" NOT NULL,
	"tag" "bytea" NOT NULL
);
--> statement-breakpoint
ALTER TABLE "changes" ADD COLUMN "tag" "bytea";
--> statement-breakpoint
-- The second lock on statements. Whoever neither owns these tables nor is told otherwise sees nothing of them: a session
-- that loads for the cache or writes says `espelho.statements = all`, a statement on behalf of a caller names whose
-- accounts it may see in `espelho.holder`. Owners and superusers, and so psql and backups, are not held by it.
ALTER TABLE "accounts" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "business_days" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "transactions" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY "accounts_holder" ON "accounts" USING (
  current_setting('espelho.statements', true) = 'all' OR holder = nullif(current_setting('espelho.holder', true), ''));
--> statement-breakpoint
-- The accounts that are seen here are those of the policy above. A scalar subquery looks one up by its id; IN would make
-- a list of them all.
CREATE POLICY "business_days_holder" ON "business_days" USING (
  current_setting('espelho.statements', true) = 'all' OR (SELECT true FROM accounts WHERE accounts.id = account_id));
--> statement-breakpoint
CREATE POLICY "transactions_holder" ON "transactions" USING (
  current_setting('espelho.statements', true) = 'all' OR (SELECT true FROM accounts WHERE accounts.id = account_id));
