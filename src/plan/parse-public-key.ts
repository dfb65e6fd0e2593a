import type { Parsed } from "./located.ts";
import type { PublicKeyFile } from "./model.ts";
import { parseFile, type Format, type Input } from "./parse-file.ts";
import { publicKeySchema } from "./schema/public-key-schema.ts";

const PUBLIC_KEY: Format<typeof publicKeySchema, PublicKeyFile> = {
  kind: "publicKey",
  schema: publicKeySchema,
  build: (input) => input,
};

/** A file that an environment's `trusts` names. */
export const parsePublicKey = (input: Input, file: string): Parsed<PublicKeyFile> => parseFile(PUBLIC_KEY, input, file);
