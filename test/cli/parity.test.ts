import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { certificateFor, factsWith, keep, trustNewKey } from "../support/certificates.ts";
import { midflight, type Ended } from "../support/cli.ts";
import { startSmallVenue, type SmallVenue } from "../support/small-venue.ts";

const PLAN = "plans/small.yaml";

let place: SmallVenue;
beforeAll(async () => {
  place = await startSmallVenue({ name: "parity", withDemo: true });
}, 120_000);
afterAll(async () => {
  await place?.stop();
}, 30_000);

const call = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  midflight(args, { cwd: place.dir, env: { ...place.env, ...env }, limitMs: 60_000 });

/** Does something in production's store, and takes it back. */
async function withProduction(sql: string, undo: string, act: () => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: place.env["ORDERS_DB_URL"] });
  await client.connect();
  try {
    await client.query(sql);
    await act();
  } finally {
    await client.query(undo);
    await client.end();
  }
}

const NEW_FEE = "update fee_tiers set maker_fee = 0.0009 where tier = 'regular'";
const OLD_FEE = "update fee_tiers set maker_fee = 0.0008 where tier = 'regular'";

describe("midflight parity", () => {
  test("ends with 0 where demo is as production is, by name or by file", async () => {
    for (const names of [
      ["demo", "production"],
      ["plans/production.yaml", "plans/demo.yaml"],
    ]) {
      const { status, stdout } = await call(["parity", ...names]);
      expect([status, stdout.includes("are alike")]).toEqual([0, true]);
    }
  });

  test("ends with 2 and shows a changed row of a reference table, in colour for nobody but a terminal", async () => {
    await withProduction(NEW_FEE, OLD_FEE, async () => {
      const { status, stdout } = await call(["parity", "demo", "production"]);
      expect(status).toBe(2);
      expect(stdout).toContain("- demo        maker_fee: 0.0008\n      + production  maker_fee: 0.0009");
      expect(stdout).not.toContain("\u001b");
      const json: unknown = JSON.parse((await call(["parity", "demo", "production", "--json"])).stdout);
      expect(json).toMatchObject({
        kind: "comparison",
        of: "parity",
        isAlike: false,
        differences: [
          { id: "orders-db/reference/fee_tiers/regular", a: { maker_fee: "0.0008" }, b: { maker_fee: "0.0009" } },
        ],
      });
    });
  });

  test("accepts what the environment file accepts, until its day", async () => {
    const file = join(place.dir, "plans", "production.yaml");
    const before = readFileSync(file, "utf8");
    const accepting = (until: string) =>
      `${before}parity: { accept: [{ fact: "orders-db/reference/fee_tiers/*", because: "a promotion of production's", until: ${until} }] }\n`;
    await withProduction(NEW_FEE, OLD_FEE, async () => {
      writeFileSync(file, accepting("2099-01-01"));
      const accepted = await call(["parity", "demo", "production", "--all"]);
      writeFileSync(file, accepting("2026-01-01"));
      const expired = await call(["parity", "demo", "production"]);
      writeFileSync(file, before);
      expect([accepted.status, accepted.stdout.includes("because a promotion of production's")]).toEqual([0, true]);
      expect([expired.status, expired.stdout.includes("no longer accepted")]).toEqual([2, true]);
    });
  });

  test("finds a gateway that died", async () => {
    const [pid = 0] = await place.estate.pids("tokyo");
    process.kill(pid, "SIGKILL");
    const { status, stdout } = await call(["parity", "demo", "production"]);
    await place.estate.restore("tokyo");
    expect([status, stdout.includes("1 of 2 not ready")]).toEqual([2, true]);
  });

  test.each([
    ["the same environment twice", ["parity", "demo", "plans/demo.yaml"], {}, 3, "USAGE"],
    ["an environment that is not there", ["parity", "demo", "osaka"], {}, 3, "FILE_UNREADABLE"],
    [
      "a store that does not answer",
      ["parity", "demo", "production"],
      { ORDERS_DB_URL: "postgres://a:b@127.0.0.1:1/c" },
      5,
      "METADATA_UNREACHABLE: orders-db of production",
    ],
    [
      "a variable that is not set",
      ["parity", "demo", "production"],
      { ORDERS_DB_URL: undefined },
      3,
      "SECRET_MISSING: orders-db of production",
    ],
  ])("says what is wrong with %s, and shows no stack", async (_, args, env, status, says) => {
    const { ORDERS_DB_URL: mine, ...others } = place.env;
    const given = "ORDERS_DB_URL" in env ? (env.ORDERS_DB_URL ?? undefined) : mine;
    const ended = await midflight(args, {
      cwd: place.dir,
      env: { ...others, ...(given === undefined ? {} : { ORDERS_DB_URL: given }) },
      limitMs: 60_000,
    });
    expect(ended.status).toBe(status);
    expect(ended.stderr).toContain(says);
    expect(ended.stderr).not.toMatch(/\n\s+at /);
    expect(ended.stderr).not.toContain("a:b@");
  });

  test("changes nothing in production", async () => {
    const admin = new Client({ connectionString: place.env["ORDERS_DB_URL"] });
    await admin.connect();
    const before = await admin.query<{ written: string }>(WRITTEN);
    expect((await call(["parity", "demo", "production"])).status).toBe(0);
    const after = await admin.query<{ written: string }>(WRITTEN);
    await admin.end();
    expect(after.rows).toEqual(before.rows);
  });
});

/** What was ever written to tables that users don't write to, by the server's own counters. */
const WRITTEN = `select relname, n_tup_ins + n_tup_upd + n_tup_del as written from pg_stat_user_tables
  where relname in ('instruments', 'fee_tiers', 'routes') order by 1`;

describe("midflight snapshot", () => {
  test("writes what production is for its owner alone, without rows or secrets, and a later look finds the drift", async () => {
    const written = await call(["snapshot", "--env", "production", "--out", "then.json"]);
    expect(written.status).toBe(0);
    const file = join(place.dir, "then.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = readFileSync(file, "utf8");
    for (const secret of [...secretsOf(place.env), "BTC-USDT", "0.0008"]) expect(text).not.toContain(secret);
    expect((await call(["parity", "production", "then.json"])).status).toBe(0);
    expect((await call(["parity", "demo", "then.json"])).status).toBe(0);
    await withProduction("create index drift on accounts (uid)", "drop index drift", async () => {
      const { status, stdout } = await call(["parity", "production", "then.json"]);
      expect([status, /index|idx/.test(stdout), stdout.includes("drift")]).toEqual([2, true, true]);
    });
    rmSync(file);
  });

  test("is not written over what is there when the place cannot be written, and says so", async () => {
    const { status, stderr } = await call(["snapshot", "--env", "production", "--out", "no/such/folder/s.json"]);
    expect([status, stderr.includes("OUTPUT_UNWRITABLE")]).toEqual([5, true]);
  });

  test("that was edited is refused", async () => {
    writeFileSync(join(place.dir, "edited.json"), '{"midflight":1,"kind":"snapshot","environment":"production"}');
    const { status, stderr } = await call(["parity", "demo", "edited.json"]);
    expect([status, stderr.includes("SNAPSHOT_INVALID")]).toEqual([3, true]);
  });
});

test("a certificate no longer clears when production drifted since the rehearsal, and the object is named", async () => {
  const key = trustNewKey(place.environment);
  const files = { plan: place.plan, environment: place.environment, facts: factsWith(place.env, place.dir) };
  await keep(place.state, await certificateFor(files, key));
  const upgrade = ["upgrade", PLAN, "--env", "production", "--yes"];
  const changes: readonly (readonly [string, string, string])[] = [
    ["alter table accounts add column note text", "alter table accounts drop column note", "accounts.note"],
    [NEW_FEE, OLD_FEE, "orders-db/reference/fee_tiers/regular"],
    ["insert into routes values (99, 'spare')", "delete from routes where shard = 99", "routes/99"],
  ];
  for (const [sql, undo, named] of changes)
    await withProduction(sql, undo, async () => {
      const { status, stderr } = await call(upgrade);
      expect([status, stderr.includes("CERTIFICATE_MISMATCH"), stderr.includes(named)]).toEqual([5, true, true]);
    });
  expect((await call(["certificate", "verify", latest() ?? "", PLAN, "--env", "production"])).status).toBe(0);
}, 120_000);

const latest = (): string | undefined => {
  const folder = join(place.state, "certificates", "production");
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .at(-1);
};

/** Passwords of addresses, and keys. */
const secretsOf = (env: Readonly<Record<string, string>>): readonly string[] =>
  Object.values(env).flatMap((value) => {
    if (!URL.canParse(value)) return [];
    const { password } = new URL(value);
    return password === "" ? [] : [password];
  });
