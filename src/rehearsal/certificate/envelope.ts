import { hash, sign, verify } from "node:crypto";
import * as z from "zod";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { canonicalJson } from "../../graph/fingerprint.ts";
import type { SigningKey, TrustedKey } from "./key.ts";
import { statementSchema, subjectOf, type Statement } from "./statement.ts";

/** A certificate as it was read. Whether anybody trusts its key is another question. */
export type Certificate = {
  readonly statement: Statement;
  /** Of the key that it says it was signed with: 64 hex digits. */
  readonly keyId: string;
  readonly signature: Uint8Array;
  readonly payload: Uint8Array;
  /** Of the whole file, 64 hex digits: its name in journals and reports. */
  readonly sha256: string;
};

const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const MOST_BYTES = 16_000_000;

const envelopeSchema = z.strictObject({
  payload: z.string(),
  payloadType: z.literal(PAYLOAD_TYPE),
  signatures: z.tuple([z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{64}$/), sig: z.string().length(88) })]),
});

/** A statement in a DSSE envelope with one signature, as canonical JSON: no white space, keys sorted, no line feed at its end. */
export function seal(statement: Statement, key: SigningKey): string {
  const payload = Buffer.from(canonicalJson(statementSchema.parse(statement)));
  const signature = sign(null, preAuthEncoding(payload), key.privateKey);
  return canonicalJson({
    payload: payload.toString("base64"),
    payloadType: PAYLOAD_TYPE,
    signatures: [{ keyid: key.id, sig: signature.toString("base64") }],
  });
}

/**
 * Reads a certificate. Of all encodings of the same content only the canonical one is accepted, inside and outside: a certificate that was
 * touched in any byte is none. Throws `CERTIFICATE_MALFORMED`.
 */
export function openEnvelope(bytes: Uint8Array, name: string): Certificate {
  const envelope = readCanonical(envelopeSchema, bytes, name, "the envelope");
  const [{ keyid, sig }] = envelope.signatures;
  const payload = readBase64(envelope.payload, name, "its payload");
  const statement = readCanonical(statementSchema, payload, name, "its payload");
  if (canonicalJson(subjectOf(statement.predicate)) !== canonicalJson(statement.subject))
    throw malformed(name, "its subject is not what it tells of");
  return {
    statement,
    keyId: keyid,
    signature: readBase64(sig, name, "its signature"),
    payload,
    sha256: hash("sha256", bytes, "hex"),
  };
}

/** Which of the keys signed it. Throws `CERTIFICATE_UNTRUSTED`, `CERTIFICATE_FORGED`. */
export function signerOf(certificate: Certificate, trusted: readonly TrustedKey[], name: string): TrustedKey {
  const key = trusted.find(({ id }) => id === certificate.keyId);
  if (key === undefined)
    throw new UpgradeError(
      "CERTIFICATE_UNTRUSTED",
      `${name} is signed with key ${certificate.keyId}, ${unknown(trusted)}`,
      {
        hint: "rehearse with a key that the environment file trusts, or have the key's public half reviewed into its `trusts`",
      },
    );
  if (verify(null, preAuthEncoding(certificate.payload), key.publicKey, certificate.signature)) return key;
  throw new UpgradeError(
    "CERTIFICATE_FORGED",
    `the signature of ${name} is not that of key ${key.name} over what it says`,
    {
      hint: "take the certificate that `midflight rehearse` wrote, as it wrote it; if this is the one, find out who changed it",
    },
  );
}

const unknown = (trusted: readonly TrustedKey[]): string =>
  trusted.length === 0
    ? "and the environment file trusts none"
    : `and the environment file trusts ${trusted.map(({ name, id }) => `${name} (${id})`).join(", ")}`;

/** What DSSE signs: type and content, each with its length, so that neither can be taken for the other. */
export function preAuthEncoding(payload: Uint8Array, type = PAYLOAD_TYPE): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

function readCanonical<Schema extends z.ZodType>(
  schema: Schema,
  bytes: Uint8Array,
  name: string,
  what: string,
): z.infer<Schema> {
  if (bytes.length > MOST_BYTES)
    throw malformed(name, `${what} has ${bytes.length} bytes; at most ${MOST_BYTES} are read`);
  const read = schema.safeParse(jsonOf(bytes, name, what));
  if (!read.success) {
    const [issue] = read.error.issues;
    throw malformed(
      name,
      `${what} is not of this format${issue === undefined ? "" : ` (${issue.path.join(".")}: ${issue.message})`}`,
    );
  }
  if (!Buffer.from(canonicalJson(read.data)).equals(bytes))
    throw malformed(name, `${what} is not written canonically: white space, a key twice, another order or escape`);
  return read.data;
}

function jsonOf(bytes: Uint8Array, name: string, what: string): unknown {
  try {
    // A byte order mark is a byte like any other here.
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw malformed(name, `${what} is no JSON in UTF-8`);
  }
}

/** Decoders are lenient; encoding again tells whether anything was overlooked. */
function readBase64(text: string, name: string, what: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") === text) return bytes;
  throw malformed(name, `${what} is not strict base64`);
}

const malformed = (name: string, why: string): UpgradeError =>
  new UpgradeError("CERTIFICATE_MALFORMED", `${name} is no certificate: ${why}`, {
    hint: "take the file that `midflight rehearse` wrote, byte for byte; editors add line feeds",
  });
