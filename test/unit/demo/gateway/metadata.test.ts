import { expect, test } from "vitest";
import { metadataOver, postgresMetadata } from "../../../../src/demo/venue/gateway/metadata-postgres.ts";
import { RELEASE_1_0 } from "../../../../src/demo/venue/gateway/releases/1.0/release.ts";

const over = (run: () => Promise<readonly object[]>) => metadataOver(run, RELEASE_1_0.statements, async () => {});
const failing = (code: string | undefined) => over(() => Promise.reject(Object.assign(new Error("told to"), { code })));

test.each([
  { code: "42703", kind: "broken", why: "the column is gone" },
  { code: "42P01", kind: "broken", why: "the table is gone" },
  { code: "42501", kind: "broken", why: "the right is gone" },
  { code: "57014", kind: "down", why: "the statement took too long" },
  { code: "57P01", kind: "down", why: "the server shuts down" },
  { code: "ECONNREFUSED", kind: "down", why: "nobody listens" },
  { code: undefined, kind: "down", why: "no connection in time" },
])("$why ($code): $kind", async ({ code, kind }) => {
  expect((await failing(code).account("1000")).kind).toBe(kind);
});

test("an account without its row, tier or route is missing", async () => {
  expect(await over(async () => []).account("1000")).toEqual({ kind: "missing" });
});

test("many requests in one moment read the instruments once, and a failure is not remembered", async () => {
  let reads = 0;
  const metadata = over(async () => {
    reads += 1;
    if (reads === 2) throw new Error("gone");
    return [{ inst_id: "BTC-USDT" }];
  });
  await Promise.all(Array.from({ length: 50 }, () => metadata.instruments()));
  expect(reads).toBe(1);
  await expect.poll(async () => (await metadata.instruments()).kind, { interval: 20 }).toBe("down");
  expect((await metadata.instruments()).kind).toBe("found");
});

test("a store that is not there is down, quickly, and never an exception", async () => {
  const metadata = postgresMetadata("postgres://gateway:x@127.0.0.1:1/metadata", RELEASE_1_0.statements, "test");
  expect((await metadata.account("1000")).kind).toBe("down");
  await metadata.close();
});
