import { createHmac, timingSafeEqual } from "node:crypto";
import { accountOf, ALL_UIDS } from "../accounts.ts";
import type { Account, VenueEnv } from "../accounts.ts";

/** Who sent a request, or the code of the refusal. */
export type Verdict = { readonly account: Account } | { readonly code: string };

/** The part of a request that is signed. `target` and `body` are the raw text as it came over the wire. */
export type SignedRequest = {
  readonly method: string;
  readonly target: string;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
};

/** Finds accounts by key, and knows the keys of the other environment so that it can say so. */
export type Keyring = {
  find(apiKey: string): Account | undefined;
  isForeign(apiKey: string): boolean;
  readonly env: VenueEnv;
};

/** How far a timestamp may be off the server's clock, in ms. */
const CLOCK_TOLERANCE_MS = 30_000;

export const createKeyring = (env: VenueEnv, keySeed: string): Keyring => {
  const own = new Map(ALL_UIDS.map((uid) => accountOf(uid, env, keySeed)).map((account) => [account.apiKey, account]));
  const otherEnv = env === "demo" ? "production" : "demo";
  const foreign = new Set(ALL_UIDS.map((uid) => accountOf(uid, otherEnv, keySeed).apiKey));
  return { env, find: (apiKey) => own.get(apiKey), isForeign: (apiKey) => foreign.has(apiKey) };
};

/** Checks the five headers of a REST request. */
export const authenticate = (request: SignedRequest, keyring: Keyring, now: number): Verdict => {
  const key = request.header("ok-access-key") ?? "";
  const passphrase = request.header("ok-access-passphrase") ?? "";
  const sign = request.header("ok-access-sign") ?? "";
  const timestamp = request.header("ok-access-timestamp") ?? "";
  const missing = firstMissing(key, passphrase, sign, timestamp);
  if (missing !== undefined) return { code: missing };
  if (!ISO_MS.test(timestamp) || Number.isNaN(Date.parse(timestamp))) return { code: "50112" };
  if (Math.abs(now - Date.parse(timestamp)) > CLOCK_TOLERANCE_MS) return { code: "50102" };
  const account = keyring.find(key);
  if (account === undefined) return { code: keyring.isForeign(key) ? "50101" : "50111" };
  if (isSimulated(request) !== (keyring.env === "demo")) return { code: "50101" };
  if (!sameText(account.passphrase, passphrase)) return { code: "50105" };
  const expected = signatureOf(account.secret, timestamp + request.method + request.target + request.body);
  return sameText(expected, sign) ? { account } : { code: "50113" };
};

/** What a WebSocket login carries; `timestamp` is in unix seconds. */
export type Login = {
  readonly apiKey: string;
  readonly passphrase: string;
  readonly timestamp: string;
  readonly sign: string;
};

/** Checks a login. Its codes are those of the REST headers; the socket answers 60009 and gives the reason as text. */
export const authenticateLogin = (login: Login, keyring: Keyring, now: number): Verdict => {
  const seconds = Number(login.timestamp);
  if (login.timestamp === "" || !Number.isFinite(seconds)) return { code: "50112" };
  if (Math.abs(now - seconds * 1_000) > CLOCK_TOLERANCE_MS) return { code: "50102" };
  const account = keyring.find(login.apiKey);
  if (account === undefined) return { code: keyring.isForeign(login.apiKey) ? "50101" : "50111" };
  if (!sameText(account.passphrase, login.passphrase)) return { code: "50105" };
  const expected = signatureOf(account.secret, `${login.timestamp}GET/users/self/verify`);
  return sameText(expected, login.sign) ? { account } : { code: "50113" };
};

/** base64(HMAC-SHA256(secret, text)): how OKX V5 signs. */
export const signatureOf = (secret: string, text: string): string =>
  createHmac("sha256", secret).update(text).digest("base64");

const ISO_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/;

const firstMissing = (key: string, passphrase: string, sign: string, timestamp: string): string | undefined => {
  if (key === "") return "50103";
  if (passphrase === "") return "50104";
  if (sign === "") return "50106";
  return timestamp === "" ? "50107" : undefined;
};

const isSimulated = (request: SignedRequest): boolean => request.header("x-simulated-trading") === "1";

const sameText = (left: string, right: string): boolean => {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
};
