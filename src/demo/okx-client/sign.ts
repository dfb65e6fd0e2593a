import { createHmac } from "node:crypto";

/** What a client needs in order to sign. */
export type Credentials = { readonly apiKey: string; readonly secret: string; readonly passphrase: string };

/**
 * The headers of a private REST request. `target` is the raw path with its query string, `body` the raw body ("" if none),
 * `nowMs` the client's clock in ms since the epoch.
 */
export const signedHeaders = (
  who: Credentials,
  request: { readonly method: string; readonly target: string; readonly body: string },
  nowMs: number,
): Record<string, string> => {
  const timestamp = new Date(nowMs).toISOString();
  return {
    "ok-access-key": who.apiKey,
    "ok-access-passphrase": who.passphrase,
    "ok-access-timestamp": timestamp,
    "ok-access-sign": signatureOf(who.secret, timestamp + request.method + request.target + request.body),
    "content-type": "application/json",
  };
};

/** The login message of a WebSocket; its timestamp is in seconds. */
export const loginMessage = (who: Credentials, nowMs: number): string => {
  const timestamp = String(Math.floor(nowMs / 1_000));
  const sign = signatureOf(who.secret, `${timestamp}GET/users/self/verify`);
  return JSON.stringify({ op: "login", args: [{ apiKey: who.apiKey, passphrase: who.passphrase, timestamp, sign }] });
};

const signatureOf = (secret: string, text: string): string =>
  createHmac("sha256", secret).update(text).digest("base64");
