import { sign } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UpgradeError } from "../../../../src/errors/upgrade-error.ts";
import { canonicalJson } from "../../../../src/graph/fingerprint.ts";
import { openEnvelope, preAuthEncoding, seal, signerOf } from "../../../../src/rehearsal/certificate/envelope.ts";
import { CERTIFICATE, KEY, pair, STATEMENT } from "./passed.ts";

/** What reading and verifying says: the code of the refusal, or that it is believed. */
function verdictOn(bytes: Uint8Array): string {
  try {
    signerOf(openEnvelope(bytes, "it"), [KEY.trusted], "it");
    return "believed";
  } catch (error) {
    if (error instanceof UpgradeError) return error.code;
    throw error;
  }
}

type Envelope = { payload: string; payloadType: string; signatures: { keyid: string; sig: string }[] };
const envelope = (): Envelope => JSON.parse(CERTIFICATE.toString()) as Envelope;
const rewritten = (change: (text: string) => string): Buffer => Buffer.from(change(CERTIFICATE.toString()));

/** Of the canonical last character, which ends in four zero bits, one that ends in a one. */
const next = (character = "A"): string => String.fromCodePoint((character.codePointAt(0) ?? 0) + 1);

/** Signed with the right key, and written in another way than the one that is accepted. */
function signedAs(payload: string): Buffer {
  const bytes = Buffer.from(payload);
  const sig = sign(null, preAuthEncoding(bytes), KEY.signing.privateKey).toString("base64");
  return Buffer.from(
    canonicalJson({
      ...envelope(),
      payload: bytes.toString("base64"),
      signatures: [{ keyid: KEY.signing.id, sig }],
    }),
  );
}

test("a certificate is believed as it was written, and tells what was signed", () => {
  const certificate = openEnvelope(CERTIFICATE, "it");
  expect(signerOf(certificate, [pair("other").trusted, KEY.trusted], "it").name).toBe("rehearsal");
  expect(certificate.statement).toEqual(STATEMENT);
});

test("of a thousand certificates with one flipped bit none is believed", () => {
  const flipped = fc.property(fc.nat(CERTIFICATE.length - 1), fc.nat(7), (at, bit) => {
    const bytes = Buffer.from(CERTIFICATE);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    expect(verdictOn(bytes)).not.toBe("believed");
  });
  fc.assert(flipped, { numRuns: 1_000 });
});

test("nor one that is shorter, longer, or has anything put in anywhere", () => {
  const changed = fc.property(
    fc.nat(CERTIFICATE.length),
    fc.nat(8),
    fc.uint8Array({ maxLength: 8 }),
    (at, cut, put) => {
      const bytes = Buffer.concat([CERTIFICATE.subarray(0, at), put, CERTIFICATE.subarray(at + cut)]);
      fc.pre(!bytes.equals(CERTIFICATE));
      expect(verdictOn(bytes)).not.toBe("believed");
    },
  );
  fc.assert(changed, { numRuns: 1_000 });
});

describe("another encoding of the same content is refused:", () => {
  const { payload, signatures } = envelope();
  const sig = signatures[0]?.sig ?? "";
  if (!/[+/]/.test(payload)) throw new Error("nothing in the payload differs between base64 and base64 for URLs");
  test.each([
    { name: "a line feed at the end", bytes: rewritten((text) => `${text}\n`) },
    { name: "a line feed in front", bytes: rewritten((text) => `\n${text}`) },
    { name: "a zero byte at the end", bytes: Buffer.concat([CERTIFICATE, Buffer.from([0])]) },
    { name: "a byte order mark", bytes: rewritten((text) => `\uFEFF${text}`) },
    { name: "white space between", bytes: rewritten((text) => text.replace(",", ", ")) },
    { name: "pretty printing", bytes: Buffer.from(JSON.stringify(envelope(), undefined, 2)) },
    {
      name: "another order of keys",
      bytes: Buffer.from(JSON.stringify({ signatures, payloadType: envelope().payloadType, payload })),
    },
    { name: "a key twice", bytes: rewritten((text) => text.replace("{", `{"payload":"${payload}",`)) },
    { name: "a key that it does not know", bytes: rewritten((text) => text.replace(/\}$/, ',"x":1}')) },
    { name: "__proto__ as a key", bytes: rewritten((text) => text.replace("{", '{"__proto__":{},')) },
    { name: "an escaped character", bytes: rewritten((text) => text.replace("vnd", "\\u0076nd")) },
    { name: "base64 without padding", bytes: rewritten((text) => text.replace(sig, sig.replace(/=+$/, ""))) },
    { name: "base64 with more padding", bytes: rewritten((text) => text.replace(payload, `${payload}=`)) },
    {
      name: "base64 for URLs",
      bytes: rewritten((text) =>
        text.replace(
          payload,
          payload.replace(/[+/]/, (one) => (one === "+" ? "-" : "_")),
        ),
      ),
    },
    {
      name: "base64 with loose bits",
      bytes: rewritten((text) => text.replace(sig, `${sig.slice(0, 85)}${next(sig[85])}==`)),
    },
    {
      name: "base64 with a line feed in it",
      bytes: rewritten((text) => text.replace(payload, `${payload.slice(0, 4)}\\n${payload.slice(4)}`)),
    },
    {
      name: "two signatures",
      bytes: Buffer.from(canonicalJson({ ...envelope(), signatures: [...signatures, ...signatures] })),
    },
    { name: "another payload type", bytes: Buffer.from(canonicalJson({ ...envelope(), payloadType: "text/plain" })) },
    { name: "a signed payload with white space", bytes: signedAs(JSON.stringify(STATEMENT, undefined, 1)) },
    { name: "a signed payload with a line feed", bytes: signedAs(`${canonicalJson(STATEMENT)}\n`) },
    {
      name: "a signed payload with a key twice",
      bytes: signedAs(canonicalJson(STATEMENT).replace("{", `{"_type":"x",`)),
    },
    {
      name: "a signed payload with a number written otherwise",
      bytes: signedAs(canonicalJson(STATEMENT).replace('"issued":1000', '"issued":1e3')),
    },
    {
      name: "a signed payload with a key that it does not know",
      bytes: signedAs(canonicalJson({ ...STATEMENT, x: 1 })),
    },
    {
      name: "a signed statement about something else than its subject",
      bytes: signedAs(canonicalJson({ ...STATEMENT, subject: [] })),
    },
    {
      name: "a signed statement of another predicate",
      bytes: signedAs(canonicalJson({ ...STATEMENT, predicateType: "https://example.com/v1" })),
    },
    { name: "nothing", bytes: Buffer.alloc(0) },
    { name: "brackets a million deep", bytes: Buffer.from("[".repeat(1_000_000)) },
  ])("$name", ({ bytes }) => {
    expect(verdictOn(bytes)).toBe("CERTIFICATE_MALFORMED");
  });
});

test("what is signed is what DSSE says: the example of its specification", () => {
  expect(preAuthEncoding(Buffer.from("hello world"), "http://example.com/HelloWorld").toString()).toBe(
    "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
  );
});

test("a certificate signed with a key that nobody trusts is refused, and the key is named", () => {
  const stranger = pair("stranger");
  const bytes = Buffer.from(seal(STATEMENT, stranger.signing));
  expect(verdictOn(bytes)).toBe("CERTIFICATE_UNTRUSTED");
  expect(() => signerOf(openEnvelope(bytes, "it"), [KEY.trusted], "it")).toThrow(stranger.signing.id);
});

test("a stranger's signature under the name of a trusted key is a forgery", () => {
  const bytes = Buffer.from(seal(STATEMENT, { ...pair("stranger").signing, id: KEY.signing.id }));
  expect(verdictOn(bytes)).toBe("CERTIFICATE_FORGED");
});

test("the signature of one certificate does not serve another", () => {
  const other = { ...STATEMENT, predicate: { ...STATEMENT.predicate, validUntil: "2099-01-01T00:00:00.000Z" } };
  const payload = Buffer.from(canonicalJson(other)).toString("base64");
  expect(verdictOn(Buffer.from(canonicalJson({ ...envelope(), payload })))).toBe("CERTIFICATE_FORGED");
});
