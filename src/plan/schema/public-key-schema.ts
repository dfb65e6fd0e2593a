import * as z from "zod";
import { EXPECTED, NOUN } from "./expected.ts";
import { name, version } from "./fields.ts";

/** The head of the SPKI of every Ed25519 key, then its 32 bytes. */
const ED25519 = /^MCowBQYDK2VwAyEA[A-Za-z0-9+/]{43}=$/;

export const publicKeySchema = z
  .strictObject({
    midflight: version(),
    name: name(),
    publicKey: z.string().regex(ED25519).register(EXPECTED, { text: "an Ed25519 key as base64 of its SPKI" }),
  })
  .register(NOUN, { noun: "public key" });
