import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { openMetadata } from "../../src/demo/venue/metadata/open.ts";
import type { Postgres } from "../../src/demo/venue/metadata/postgres.ts";
import { readMigrations } from "../../src/plan/migrations.ts";
import type { Migration } from "../../src/plan/model.ts";

const FOLDER = fileURLToPath(new URL("../../plans/migrations", import.meta.url));
const never = new AbortController().signal;

// Both stories share one store, which remembers the highest fence.
let seq = 0;
let dir: string;
let postgres: Postgres;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "midflight-plans-test-"));
  postgres = await openMetadata({ dir });
});
afterAll(async () => {
  await postgres.stop();
  await rm(dir, { recursive: true, force: true });
});

const migrationsIn = async (folder: string): Promise<readonly Migration[]> => {
  const names = await readdir(join(FOLDER, folder));
  const files = await Promise.all(
    names.map(async (name) => ({ name, bytes: await readFile(join(FOLDER, folder, name)) })),
  );
  const { migrations, problems } = readMigrations(files, folder);
  expect(problems).toEqual([]);
  return migrations;
};

describe("the example migrations, on the venue's metadata", () => {
  test.each(["orders", "orders-2023"])(
    "%s: each goes up, verifies, and its way back restores what was there",
    async (folder) => {
      const migrations = await migrationsIn(folder);
      expect(migrations.length).toBeGreaterThan(0);
      const store = postgresMetadata({ url: postgres.ownerUrl, clock: systemClock, seed: 1 });
      const states = [await store.observe(migrations, never)];
      for (const { name } of migrations) {
        const { state } = await store.migrate(
          { direction: "up", names: [name], migrations },
          { epoch: 1, seq: (seq += 1) },
          never,
        );
        await store.verify([name], migrations, never);
        states.push(state);
      }
      for (const { name } of migrations.toReversed()) {
        states.pop();
        const { state } = await store.migrate(
          { direction: "down", names: [name], migrations },
          { epoch: 1, seq: (seq += 1) },
          never,
        );
        expect(state).toEqual(states.at(-1));
      }
    },
  );
});
