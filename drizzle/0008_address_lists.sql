ALTER TABLE "security_values" ADD COLUMN "list_kind" text;--> statement-breakpoint
ALTER TABLE "security_values" ADD CONSTRAINT "security_values_list" CHECK ("security_values"."list_kind" IS NULL OR ("security_values"."kind" = 'LIST' AND "security_values"."list_kind" IN ('TEXT', 'ADDRESS')));
--> statement-breakpoint
CREATE TABLE "reveal_allowances" (
	"subject" text PRIMARY KEY NOT NULL,
	"remaining" double precision NOT NULL,
	"refilled_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
-- From now on this is the end of an overlap, after which a version is not revealed; it was only the moment of its replacement.
UPDATE "secret_versions" SET "valid_until" = NULL WHERE "state" = 'PREVIOUS';
