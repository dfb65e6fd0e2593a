import { createPublicKey, generateKeyPairSync, hash, type KeyObject } from "node:crypto";

/** Signs certificates. `name` is for people; `id` is what is compared. */
export type SigningKey = { readonly name: string; readonly id: string; readonly privateKey: KeyObject };
/** Believed by an environment. */
export type TrustedKey = { readonly name: string; readonly id: string; readonly publicKey: KeyObject };

/** A new Ed25519 pair: the private half as PEM (PKCS #8), the public half as base64 of its SPKI. */
export function newKey(): { readonly privatePem: string; readonly publicKey: string; readonly id: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return {
    privatePem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    publicKey: spkiOf(publicKey).toString("base64"),
    id: keyIdOf(publicKey),
  };
}

/** The sha256 of the public half's SPKI, 64 hex digits; also of a private key. */
export const keyIdOf = (key: KeyObject): string => hash("sha256", spkiOf(key), "hex");

export const trustedKey = (name: string, publicKey: string): TrustedKey => {
  const key = createPublicKey({ key: Buffer.from(publicKey, "base64"), format: "der", type: "spki" });
  return { name, id: keyIdOf(key), publicKey: key };
};

const spkiOf = (key: KeyObject): Buffer =>
  (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "der" });
