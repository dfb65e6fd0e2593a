import { afterAll, beforeAll } from "vitest";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { fakeMetadataStore } from "../fakes/metadata-store.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
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
