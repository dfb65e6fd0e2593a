import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { fakeMetadataStore } from "../fakes/metadata-store.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { migration } from "../support/migrations.ts";
import { metadataContract } from "./metadata.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

metadataContract("in memory", async () => {
  const store = fakeMetadataStore();
  return { open: store.open, damageNotes: async () => store.breakVerify("0001_notes"), close: async () => undefined };
});

metadataContract("in PostgreSQL", async () => {
  const url = await server.database();
  return {
    open: () => postgresMetadata({ url, clock: systemClock, seed: 1 }),
    async damageNotes() {
      const client = await server.session(url);
      await client.query("delete from notes");
    },
    close: async () => undefined,
  };
});

describe("metadata in memory, told to misbehave", () => {
  const one = migration("0001_x", { up: "create table x (id int);" });
  const never = new AbortController().signal;
  const order = { direction: "up", names: ["0001_x"], migrations: [one] } as const;
  const fence = { epoch: 1, seq: 1 };

  test("fails once and does nothing", async () => {
    const store = fakeMetadataStore();
    store.failNext("MIGRATION_LOCKED");
    await expect(store.open().migrate(order, fence, never)).rejects.toMatchObject({ code: "MIGRATION_LOCKED" });
    expect(store.applied).toEqual([]);
    expect((await store.open().migrate(order, fence, never)).reports).toHaveLength(1);
  });

  test("does its work and loses the answer", async () => {
    const store = fakeMetadataStore();
    store.loseNextReply();
    await expect(store.open().migrate(order, fence, never)).rejects.toMatchObject({ code: "METADATA_UNREACHABLE" });
    expect(store.applied).toEqual(["0001_x"]);
    expect((await store.open().migrate(order, fence, never)).reports).toEqual([]);
  });

  test("is late until it is let go, or until nobody waits any more", async () => {
    const store = fakeMetadataStore();
    const release = store.holdNext();
    const late = store.open().migrate(order, fence, never);
    expect(store.applied).toEqual([]);
    release();
    await late;
    expect(store.applied).toEqual(["0001_x"]);
    store.holdNext();
    const withdrawal = new AbortController();
    const outcome = store
      .open()
      .observe([one], withdrawal.signal)
      .catch((error: unknown) => error);
    withdrawal.abort(new Error("enough"));
    expect(await outcome).toMatchObject({ message: "enough" });
  });

  test("shows that somebody else changed the catalogue", async () => {
    const store = fakeMetadataStore();
    const before = await store.open().observe([], never);
    store.drift("a column");
    expect((await store.open().observe([], never)).fingerprint).not.toBe(before.fingerprint);
  });
});
