-- Idempotency keys with the answers that they stand for, and indexes for the order in which the audit log is read: by
-- domain, by key, or whole.
CREATE TABLE "idempotency_keys" (
	"id" text PRIMARY KEY NOT NULL,
	"input" text NOT NULL,
	"answer" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
DROP INDEX "changes_domain_key";
--> statement-breakpoint
CREATE INDEX "idempotency_keys_created" ON "idempotency_keys" USING btree ("created_at");
--> statement-breakpoint
CREATE INDEX "changes_domain" ON "changes" USING btree ("domain","sequence");
--> statement-breakpoint
CREATE INDEX "changes_key" ON "changes" USING btree ("key","sequence");