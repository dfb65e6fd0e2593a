import * as z from "zod";
import { argv } from "./scalars.ts";

export const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, { error: "`sha256:` and 64 hex digits are expected" });
export const release = z.strictObject({
  process: z.strictObject({ digest, path: z.string(), run: argv }).optional(),
  command: z.strictObject({ digest: z.string().min(1) }).optional(),
  kubernetes: z.strictObject({ image: z.string().regex(/@sha256:[0-9a-f]{64}$/, { error: "an image by digest (name@sha256:…) is expected; a tag may move" }) }).optional(),
});
export const releasesDocument = z.strictObject({ midflight: z.literal(1, { error: "this midflight reads version 1" }), releases: z.record(z.string(), release) });
