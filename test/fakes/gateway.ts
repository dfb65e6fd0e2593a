import { accountOf } from "../../src/demo/venue/accounts.ts";
import type { Account } from "../../src/demo/venue/accounts.ts";
import { signatureOf } from "../../src/demo/venue/gateway/auth.ts";
import type { GatewayConfig } from "../../src/demo/venue/gateway/config.ts";
import type { Envelope, Row } from "../../src/demo/venue/gateway/envelope.ts";
import type { Release } from "../../src/demo/venue/gateway/release.ts";
import { RELEASE_2_0 } from "../../src/demo/venue/gateway/releases/2.0/release.ts";
import { startGateway } from "../../src/demo/venue/gateway/start.ts";
import type { RunningGateway } from "../../src/demo/venue/gateway/start.ts";
import { fakeEngine } from "./engine.ts";
import type { FakeEngine } from "./engine.ts";
import { fakeMetadata } from "./metadata.ts";
import type { FakeMetadata } from "./metadata.ts";

export const KEY_SEED = "test-seed";

/** A real gateway on a fake engine and fake metadata. */
export type GatewayOnFakes = RunningGateway & {
  readonly engine: FakeEngine;
  readonly metadata: FakeMetadata;
  readonly origin: string;
};

export const gatewayOnFakes = async (
  release: Release = RELEASE_2_0,
  over: Partial<GatewayConfig> = {},
): Promise<GatewayOnFakes> => {
  const [engine, metadata] = [fakeEngine(), fakeMetadata()];
  const config: GatewayConfig = {
    port: 0,
    instance: "tokyo-1",
    release: release.version,
    region: "tokyo",
    metadataUrl: "",
    engines: [],
    env: "production",
    keySeed: KEY_SEED,
    ...over,
  };
  const gateway = await startGateway(config, release, { metadata, engine });
  return { ...gateway, engine, metadata, origin: `http://127.0.0.1:${gateway.port}` };
};

/** The test's own user. */
export const ALICE: Account = accountOf("1003", "production", KEY_SEED);

export type Reply = {
  readonly http: number;
  readonly headers: Headers;
  readonly body: Omit<Envelope, "data"> & { readonly data: readonly Row[] };
};

/** Sends a signed request. */
export const call = async (
  origin: string,
  method: "GET" | "POST",
  target: string,
  body?: unknown,
  account = ALICE,
  extra: Record<string, string> = {},
): Promise<Reply> => {
  const text = body === undefined ? "" : JSON.stringify(body);
  const timestamp = new Date().toISOString();
  const response = await fetch(origin + target, {
    method,
    headers: {
      "ok-access-key": account.apiKey,
      "ok-access-passphrase": account.passphrase,
      "ok-access-timestamp": timestamp,
      "ok-access-sign": signatureOf(account.secret, timestamp + method + target + text),
      "content-type": "application/json",
      ...extra,
    },
    ...(text !== "" && { body: text }),
  });
  const raw = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") === true;
  const envelope = isJson ? (JSON.parse(raw) as Reply["body"]) : { code: "", msg: raw, data: [] };
  return { http: response.status, headers: response.headers, body: envelope };
};

/** A post-only order far from the market. */
export const FAR_BUY = {
  instId: "BTC-USDT",
  tdMode: "cash",
  side: "buy",
  ordType: "post_only",
  px: "45000",
  sz: "0.001",
} as const;
