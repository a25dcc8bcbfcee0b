ALTER TABLE "tokens" ADD COLUMN "replaced_by" uuid;--> statement-breakpoint
CREATE INDEX "tokens_created" ON "tokens" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "tokens_subject" ON "tokens" USING btree ("subject","created_at","id");
--> statement-breakpoint
-- No entry: a root whose version tells whether any token of the subject has changed.
SELECT capture('tokens', 'token-subject', $$SELECT subject FROM changed$$, false);
