import { expect, test } from "vitest";
import type { Metadata } from "../../../src/ports/metadata.ts";
import type { WalkOrder } from "../../../src/rehearsal/drills-of.ts";
import { faultyWorld } from "../../../src/rehearsal/faulty-world.ts";
import type { World } from "../../../src/runtime/world.ts";
import { migrationNamed } from "../../simulation/sim-world.ts";

const MIGRATIONS = [migrationNamed("0001_a", "expand"), migrationNamed("0002_b", "expand")];
const order = (act: "break-undo" | "break-migration"): WalkOrder => ({
  name: "drill",
  step: "1",
  kind: "backup",
  strikes: [{ when: "done", move: "1", acts: [{ kind: act, component: "db", name: "0002_b" }] }],
  ends: ["backed-up"],
});

/** Stores that only write down what they are told. */
function stores(act: "break-undo" | "break-migration") {
  const told: string[] = [];
  let struck = 0;
  const store = (name: string): Metadata => ({
    observe: () => Promise.resolve({ fingerprint: name, applied: [], server: "" }),
    verify: () => Promise.resolve(),
    migrate: ({ direction, names, migrations }) => {
      told.push(`${name} ${direction} ${names.join()} ${migrations.at(-1)?.up.includes("drill") === true}`);
      return Promise.resolve({} as never);
    },
  });
  const real = {
    metadata: {
      db: { store: store("db"), migrations: MIGRATIONS },
      other: { store: store("other"), migrations: MIGRATIONS },
    },
  } as unknown as World;
  const { world } = faultyWorld(real, order(act), () => {
    struck += 1;
  });
  const migrate = (name: string, direction: "up" | "down", names: readonly string[]) =>
    world.metadata[name]?.store.migrate(
      { direction, names, migrations: MIGRATIONS },
      { epoch: 1, seq: 1 },
      new AbortController().signal,
    );
  return { migrate, told, struck: () => struck };
}

test("an undo that must fail fails for good before the store is touched; everything else goes through", async () => {
  const { migrate, told, struck } = stores("break-undo");
  await migrate("db", "up", ["0001_a", "0002_b"]);
  await migrate("db", "down", ["0001_a"]);
  await migrate("other", "down", ["0002_b"]);
  expect(struck()).toBe(0);
  await expect(migrate("db", "down", ["0002_b", "0001_a"])).rejects.toMatchObject({ code: "MIGRATION_FAILED" });
  expect([told, struck()]).toEqual([
    ["db up 0001_a,0002_b false", "db down 0001_a false", "other down 0002_b false"],
    1,
  ]);
});

test("a migration that must fail is broken on its way up alone", async () => {
  const { migrate, told, struck } = stores("break-migration");
  await migrate("db", "down", ["0002_b"]);
  await migrate("other", "up", ["0002_b"]);
  await migrate("db", "up", ["0002_b"]);
  expect([told, struck()]).toEqual([["db down 0002_b false", "other up 0002_b false", "db up 0002_b true"], 1]);
});
