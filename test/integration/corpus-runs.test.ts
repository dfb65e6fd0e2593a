import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { Metadata } from "../../src/ports/metadata.ts";
import { corpus, type Case } from "../support/corpus.ts";
import { startTestServer, type TestServer } from "../support/database.ts";

const never = new AbortController().signal;
const fence = { epoch: 1, seq: 1 };

/** What PostgreSQL or the runner refuses when it gets there; the lint says so before. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  "l10-concurrent-in-transaction": /25001/,
  "l35-required-column": /23502/,
  "l37-enum-added-and-used": /55P04/,
  "l52-commit-in-the-file": /would end the transaction/,
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const storeOf = async (one: Case): Promise<Metadata> => {
  const url = await server.database();
  const owner = await server.session(url);
  await owner.query(one.base);
  await owner.end();
  return postgresMetadata({ url, clock: systemClock, seed: 1 });
};

const go = (direction: "up" | "down", { migrations }: Case, store: Metadata) =>
  store.migrate({ direction, names: migrations.map(({ name }) => name), migrations }, fence, never);

describe("a sound migration really goes up, holds, and comes back", () => {
  test.each(corpus("s"))("$slug", async (one) => {
    const store = await storeOf(one);
    const names = one.migrations.map(({ name }) => name);
    const before = await store.observe(one.migrations, never);
    expect((await go("up", one, store)).reports.map(({ name }) => name)).toEqual(names);
    await store.verify(names, one.migrations, never);
    const back = await go("down", one, store);
    expect(back.reports.map(({ name }) => name)).toEqual(names.toReversed());
    expect(back.state).toEqual(before);
  });
});

describe("a migration that the lint finds faulty is one that PostgreSQL would run, or refuses for that reason", () => {
  const isRefused = ({ slug }: Case): boolean => REFUSED[slug] !== undefined;
  test.each(corpus("l").filter((one) => !isRefused(one)))("$slug", async (one) => {
    const { reports } = await go("up", one, await storeOf(one));
    expect(reports).toHaveLength(one.migrations.length);
  });

  test.each(corpus("l").filter(isRefused))("$slug is refused", async (one) => {
    await expect(go("up", one, await storeOf(one))).rejects.toThrow(REFUSED[one.slug]);
  });
});
