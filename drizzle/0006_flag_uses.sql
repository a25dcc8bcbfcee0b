CREATE TABLE "flag_uses" (
	"environment" text NOT NULL,
	"key" text NOT NULL,
	"last_evaluated_at" timestamp with time zone NOT NULL,
	CONSTRAINT "flag_uses_environment_key_pk" PRIMARY KEY("environment","key")
);
--> statement-breakpoint
ALTER TABLE "flags" ADD COLUMN "created_at" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "flag_uses" ADD CONSTRAINT "flag_uses_environment_key_flags_environment_key_fk" FOREIGN KEY ("environment","key") REFERENCES "public"."flags"("environment","key") ON DELETE cascade ON UPDATE no action;
