CREATE TABLE "cache_policies" (
	"view" text PRIMARY KEY NOT NULL,
	"ttl_seconds" integer NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "cache_policies_ttl" CHECK ("cache_policies"."ttl_seconds" BETWEEN 1 AND 31536000)
);
--> statement-breakpoint
-- No view shows this entry: it gives each policy a version of its own, and orders its writers.
SELECT capture('cache_policies', 'cache-policy', $$SELECT view FROM changed$$, true);
