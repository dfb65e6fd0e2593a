import { createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { accountOf, ALL_UIDS } from "../../../../src/demo/venue/accounts.ts";
import { authenticate, authenticateLogin, createKeyring } from "../../../../src/demo/venue/gateway/auth.ts";

const SEED = "seed";
const NOW = Date.parse("2026-07-01T12:00:00.000Z");
const alice = accountOf("1003", "production", SEED);
const keyring = createKeyring("production", SEED);

const TARGET = "/api/v5/trade/order?instId=BTC-USDT&a=%20";
const BODY = '{ "instId" : "BTC-USDT" }';
const sign = (secret: string, text: string): string => createHmac("sha256", secret).update(text).digest("base64");
const headersAt = (at: number, account = alice): Record<string, string> => {
  const timestamp = new Date(at).toISOString();
  return {
    "ok-access-key": account.apiKey,
    "ok-access-passphrase": account.passphrase,
    "ok-access-timestamp": timestamp,
    "ok-access-sign": sign(account.secret, `${timestamp}POST${TARGET}${BODY}`),
  };
};
const verdict = (headers: Record<string, string>, over: { target?: string; body?: string; method?: string } = {}) =>
  authenticate({ method: "POST", target: TARGET, body: BODY, ...over, header: (name) => headers[name] }, keyring, NOW);

describe("a signed request", () => {
  test("is let in with the raw target and the raw body, spaces and all", () => {
    expect(verdict(headersAt(NOW))).toEqual({ account: alice });
  });

  test.each([
    { name: "another query", over: { target: `${TARGET}&b=1` } },
    { name: "the same JSON written differently", over: { body: '{"instId":"BTC-USDT"}' } },
    { name: "another method", over: { method: "GET" } },
  ])("is refused with 50113 when it was signed for $name", ({ over }) => {
    expect(verdict(headersAt(NOW), over)).toEqual({ code: "50113" });
  });

  test.each([
    { name: "no key", change: { "ok-access-key": "" }, code: "50103" },
    { name: "no passphrase", change: { "ok-access-passphrase": "" }, code: "50104" },
    { name: "a wrong passphrase", change: { "ok-access-passphrase": "no" }, code: "50105" },
    { name: "no signature", change: { "ok-access-sign": "" }, code: "50106" },
    { name: "no timestamp", change: { "ok-access-timestamp": "" }, code: "50107" },
    { name: "an unknown key", change: { "ok-access-key": "no" }, code: "50111" },
    {
      name: "a key of the other environment",
      change: { "ok-access-key": accountOf("1003", "demo", SEED).apiKey },
      code: "50101",
    },
    { name: "the demo header", change: { "x-simulated-trading": "1" }, code: "50101" },
    { name: "the demo header switched off", change: { "x-simulated-trading": "0" }, code: undefined },
    { name: "a timestamp in seconds", change: { "ok-access-timestamp": "1782907200" }, code: "50112" },
    { name: "a wrong signature", change: { "ok-access-sign": "no" }, code: "50113" },
  ])("with $name: $code", ({ change, code }) => {
    expect(verdict({ ...headersAt(NOW), ...change })).toEqual(code === undefined ? { account: alice } : { code });
  });

  test.each([
    { offMs: 30_000, code: undefined },
    { offMs: 30_001, code: "50102" },
    { offMs: -30_000, code: undefined },
    { offMs: -30_001, code: "50102" },
  ])("$offMs ms off the server's clock: $code", ({ offMs, code }) => {
    expect(verdict(headersAt(NOW + offMs))).toEqual(code === undefined ? { account: alice } : { code });
  });
});

const loginAt = (seconds: number, account = alice) => ({
  apiKey: account.apiKey,
  passphrase: account.passphrase,
  timestamp: String(seconds),
  sign: sign(account.secret, `${seconds}GET/users/self/verify`),
});

describe("a login", () => {
  const seconds = NOW / 1_000;

  test("is let in within 30 s", () => {
    expect(authenticateLogin(loginAt(seconds + 30), keyring, NOW)).toEqual({ account: alice });
  });
  test.each([
    { name: "late", login: loginAt(seconds - 31), code: "50102" },
    { name: "without a time", login: { ...loginAt(seconds), timestamp: "" }, code: "50112" },
    { name: "from the other environment", login: loginAt(seconds, accountOf("1003", "demo", SEED)), code: "50101" },
    { name: "with a wrong passphrase", login: { ...loginAt(seconds), passphrase: "no" }, code: "50105" },
    { name: "with a wrong signature", login: { ...loginAt(seconds), sign: "no" }, code: "50113" },
  ])("$name is refused with $code", ({ login, code }) => {
    expect(authenticateLogin(login, keyring, NOW)).toEqual({ code });
  });
});

describe("accounts", () => {
  test("every process computes the same keys, no two users share one, and the environments share none", () => {
    const keys = (["production", "demo"] as const).flatMap((env) =>
      ALL_UIDS.map((uid) => accountOf(uid, env, SEED).apiKey),
    );
    expect(new Set(keys).size).toBe(440);
    expect(accountOf("1003", "production", SEED)).toEqual(alice);
    expect(accountOf("1003", "production", "other").secret).not.toBe(alice.secret);
  });
  test("a cohort is the last digit of the uid", () => {
    expect([alice.cohort, accountOf("9010", "demo", SEED).cohort]).toEqual(["shard-3", "shard-0"]);
  });
});
