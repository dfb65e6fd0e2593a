import { inspect } from "node:util";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { postgresMetadata } from "../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import type { Migration } from "../../src/plan/model.ts";
import { startTestServer } from "../support/database.ts";
import type { TestServer } from "../support/database.ts";
import { migration } from "../support/migrations.ts";

const never = new AbortController().signal;
let server: TestServer;
let url: string;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());
beforeEach(async () => {
  url = await server.database();
});

const metadata = (at = url) =>
  postgresMetadata({ url: at, clock: systemClock, seed: 1, budgets: { connectMs: 1_000 } });
const up = (one: Migration, at = url) =>
  metadata(at).migrate({ direction: "up", names: [one.name], migrations: [one] }, { epoch: 1, seq: 1 }, never);
const errorOf = async (work: () => Promise<unknown>): Promise<UpgradeError> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof UpgradeError) return error;
    throw error;
  }
  throw new Error("it did not fail");
};
const changed = (change: (url: URL) => void): string => {
  const copy = new URL(url);
  change(copy);
  return copy.href;
};

describe("what went wrong with a migration", () => {
  test.each([
    {
      name: "the line where a name is unknown",
      up: "create table a (id int);\n\n-- é: two bytes\ninsert into a\n  (id)\nselect nope from a;",
      says: /^0001_x\.up\.sql:6: statement 2 of 2 failed with 42703: column "nope" does not exist\n {2}insert into a\nNothing of this file is applied\.$/,
    },
    {
      name: "the line where the grammar stops",
      up: "create table a (id int);\ncreate tabel b (id int);",
      says: /^0001_x\.up\.sql:2: syntax error at or near "tabel" \(42601\)\. Nothing/,
    },
    {
      name: "the statement that would end the transaction",
      up: "create table a (id int);\ncommit;\ndrop table a;",
      says: /^0001_x\.up\.sql:2: "commit" would end the transaction/,
    },
    {
      name: "the value of a failing expression",
      up: "select 1 / 0;",
      says: /:1: statement 1 of 1 failed with 22012: division by zero/,
    },
    {
      name: "the statement when a deferred constraint has the last word",
      up: "create table a (id int primary key, b int references a deferrable initially deferred);\ninsert into a values (1, 2);",
      says: /:2: statement 2 of 2 failed with 23503/,
    },
  ])("is told with $name", async ({ up: sql, says }) => {
    const error = await errorOf(() => up(migration("0001_x", { up: sql })));
    expect(error).toMatchObject({ code: "MIGRATION_FAILED", message: expect.stringMatching(says) });
    expect((await metadata().observe([], never)).applied).toEqual([]);
  });

  test("comes with the way out when a statement cannot run in a transaction", async () => {
    const error = await errorOf(() =>
      up(migration("0001_x", { up: "create table a (id int);\ncreate index concurrently a_id on a (id);" })),
    );
    expect(error.message).toContain("25001");
    expect(error.hint).toContain("-- midflight: no-transaction");
  });

  test("says that all statements stay when the verification of a file without a transaction does not pass", async () => {
    const steps = migration("0001_x", {
      transactional: false,
      up: "create table a (id int);",
      verify: "select 1 / 0;",
    });
    expect((await errorOf(() => up(steps))).message).toMatch(
      /^0001_x\.verify\.sql:1: .*\n.*\nAll statements of the up file stay applied\.$/,
    );
  });

  test("is refused at once when there is no way back in the file", async () => {
    const one = migration("0001_x", { up: "create table a (id int);", down: "-- nothing\n" });
    await up(one);
    const back = () =>
      metadata().migrate({ direction: "down", names: ["0001_x"], migrations: [one] }, { epoch: 1, seq: 1 }, never);
    expect(await errorOf(back)).toMatchObject({
      code: "MIGRATION_FAILED",
      message: expect.stringContaining("0001_x.down.sql has no statement"),
    });
    expect((await metadata().observe([one], never)).applied).toHaveLength(1);
  });

  test("is noticed when somebody edits the history by hand", async () => {
    const [one, two] = [migration("0001_x", { up: "select 1;" }), migration("0002_y", { up: "select 2;" })];
    await metadata().migrate(
      { direction: "up", names: ["0001_x", "0002_y"], migrations: [one, two] },
      { epoch: 1, seq: 1 },
      never,
    );
    await (await server.session(url)).query("delete from midflight.history where name = '0001_x'");
    await expect(metadata().observe([one, two], never)).rejects.toMatchObject({
      code: "HISTORY_REWRITTEN",
      message: expect.stringContaining("0002_y in midflight.history"),
    });
  });

  test("does not depend on what a file set for its own session", async () => {
    const rude = migration("0001_x", {
      up: "set search_path = pg_catalog; set role gateway; create temp table history (x int); set lock_timeout = 0;",
      down: "select 1;",
    });
    await (await server.session(server.superUrl)).query("grant gateway to venue_owner");
    await (await server.session(url)).query(`grant temporary on database ${new URL(url).pathname.slice(1)} to gateway`);
    const before = await metadata().observe([], never);
    const { state } = await up(rude);
    expect(state.applied).toHaveLength(1);
    expect(state.fingerprint).toBe(before.fingerprint);
  });
});

describe("a store that cannot be used", () => {
  test.each([
    { name: "nobody listens", at: () => changed((to) => (to.port = "1")), says: /ECONNREFUSED/ },
    { name: "the password is wrong", at: () => changed((to) => (to.password = "not-the-password")), says: /28P01/ },
    { name: "the database is not there", at: () => changed((to) => (to.pathname = "/nowhere")), says: /3D000/ },
    {
      name: "the host is unknown",
      at: () => changed((to) => (to.hostname = "no-such-host.invalid")),
      says: /no-such-host\.invalid/,
    },
  ])("is one clear sentence with its place and never its password: $name", async ({ at, says }) => {
    const address = at();
    const one = migration("0001_x", { up: "select 1;" });
    const calls = [
      () => metadata(address).observe([], never),
      () => up(one, address),
      () => metadata(address).verify([], [], never),
    ];
    for (const call of calls) {
      const error = await errorOf(call);
      const { host, pathname, password } = new URL(address);
      expect(error).toMatchObject({ code: "METADATA_UNREACHABLE", message: expect.stringMatching(says) });
      expect(error.message).toContain(`the metadata store ${host}${pathname} cannot be used`);
      expect(error.hint).not.toBe("");
      expect(inspect(error, { depth: 10 })).not.toContain(password);
    }
  });

  test("never shows an address that is none", () => {
    for (const address of [
      "not a url with s3cretpassword",
      "postgres://u:s3cretpassword@[bad/x",
      "https://u:s3cretpassword@h/x",
      "",
    ]) {
      let seen: unknown;
      try {
        metadata(address);
      } catch (error) {
        seen = error;
      }
      expect(seen).toMatchObject({ code: "SECRET_MALFORMED" });
      expect(inspect(seen, { depth: 10 })).not.toContain("s3cretpassword");
    }
  });

  test("never shows a password that a statement sets", async () => {
    const error = await errorOf(() =>
      up(migration("0001_x", { up: "alter role nobody_here password 'hunter2hunter2';" })),
    );
    expect(error.code).toBe("MIGRATION_FAILED");
    expect(inspect(error, { depth: 10 })).not.toContain("hunter2hunter2");
  });

  test("can be looked at by somebody who may not write", async () => {
    const reader = changed((to) => to.searchParams.set("options", "-c default_transaction_read_only=on"));
    expect((await metadata(reader).observe([], never)).server).toMatch(/^PostgreSQL \d/);
    const error = await errorOf(() => up(migration("0001_x", { up: "select 1;" }), reader));
    expect(error).toMatchObject({ code: "METADATA_UNREACHABLE", message: expect.stringContaining("25006") });
  });

  test("says which right is missing", async () => {
    const admin = await server.session(server.superUrl);
    await admin.query("create role lodger login password 'lodger-password'");
    const lodger = changed((to) => {
      to.username = "lodger";
      to.password = "lodger-password";
    });
    expect((await metadata(lodger).observe([], never)).applied).toEqual([]);
    const error = await errorOf(() => up(migration("0001_x", { up: "select 1;" }), lodger));
    expect(error).toMatchObject({
      code: "METADATA_UNREACHABLE",
      message: expect.stringContaining("42501"),
      hint: expect.stringContaining("schema `midflight`"),
    });
  });
});
