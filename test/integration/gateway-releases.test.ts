import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { accountOf } from "../../src/demo/venue/accounts.ts";
import { readInstruments, VENUE_INSTRUMENTS } from "../../src/demo/venue/engine/instrument.ts";
import { startEngine } from "../../src/demo/venue/engine/serve.ts";
import type { Engine } from "../../src/demo/venue/engine/serve.ts";
import { openMetadata } from "../../src/demo/venue/metadata/open.ts";
import type { Postgres } from "../../src/demo/venue/metadata/postgres.ts";
import { ALICE, call, FAR_BUY, KEY_SEED } from "../fakes/gateway.ts";

// Releases as midflight starts them: processes on a real PostgreSQL and a real matching engine.

let folder: string;
let postgres: Postgres;
let owner: Client;
let engine: Engine;
const running = new Set<Gateway>();

const EXPAND = `
  create table price_bands (inst_id text primary key references instruments, lower_pct numeric not null, upper_pct numeric not null);
  insert into price_bands select inst_id, max_deviation_pct, max_deviation_pct from instruments;
  grant select on price_bands to gateway`;

const failed = (): void => {};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "releases-"));
  postgres = await openMetadata({ dir: join(folder, "postgres") });
  owner = new Client({ connectionString: postgres.ownerUrl });
  await owner.connect();
  const config = {
    name: "a",
    port: 0,
    peerPort: 0,
    dir: join(folder, "engine"),
    witnessDir: join(folder, "witness"),
    silenceMs: 400,
  } as const;
  engine = await startEngine(
    { ...config, startAs: "active", instruments: readInstruments(JSON.stringify(VENUE_INSTRUMENTS)) },
    failed,
  );
});
afterEach(async () => {
  for (const gateway of running) await gateway.end("SIGKILL");
});
afterAll(async () => {
  await engine.close();
  await owner.end();
  await postgres.stop();
  await rm(folder, { recursive: true });
});

type Gateway = {
  readonly origin: string;
  readonly errors: () => string;
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null>;
};

const startRelease = async (version: string, variables: Record<string, string> = {}): Promise<Gateway> => {
  const main = fileURLToPath(new URL(`../../src/demo/venue/gateway/releases/${version}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PORT: "0",
      MIDFLIGHT_INSTANCE: `gateway-${version}`,
      MIDFLIGHT_RELEASE: version,
      MIDFLIGHT_REGION: "tokyo",
      METADATA_URL: postgres.gatewayUrl,
      ENGINES: `127.0.0.1:${engine.port}`,
      VENUE_ENV: "production",
      VENUE_KEY_SEED: KEY_SEED,
      ...variables,
    },
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const gateway: Gateway = {
    origin: `http://127.0.0.1:${await portOf(child, () => errors)}`,
    errors: () => errors,
    end: (signal) => {
      running.delete(gateway);
      child.kill(signal);
      return exited;
    },
  };
  running.add(gateway);
  return gateway;
};

const portOf = (child: ChildProcess, errors: () => string): Promise<number> =>
  new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve((JSON.parse(text) as { port: number }).port);
    });
    child.once("exit", (code) => reject(new Error(`exit ${code}: ${errors()}`)));
  });

const isReady = async ({ origin }: Gateway): Promise<number> => (await fetch(`${origin}/-/ready`)).status;
const post = ({ origin }: Gateway, path: string, body: object, account = ALICE) =>
  call(origin, "POST", `/api/v5/${path}`, body, account);
const codeOf = async (gateway: Gateway, path: string, body: object, account = ALICE): Promise<string> => {
  const reply = await post(gateway, path, body, account);
  return reply.body.data[0]?.sCode ?? reply.body.code;
};

/** Places, amends and cancels; the codes of the three. */
const trade = async (gateway: Gateway, account = ALICE): Promise<readonly string[]> => {
  const placed = await post(gateway, "trade/order", FAR_BUY, account);
  const named = { instId: "BTC-USDT", ordId: placed.body.data[0]?.ordId };
  const amended = await codeOf(gateway, "trade/amend-order", { ...named, newPx: "45000.1" }, account);
  return [
    placed.body.data[0]?.sCode ?? placed.body.code,
    amended,
    await codeOf(gateway, "trade/cancel-order", named, account),
  ];
};

describe("before and after the metadata moves", () => {
  test("1.0 serves before the expand and after it; 2.0 is ready from the expand on; 1.0 is not once the contract dropped its column", async () => {
    const [old, next] = [await startRelease("1.0"), await startRelease("2.0")];
    await expect.poll(() => isReady(old)).toBe(200);
    expect([await trade(old), await isReady(next)]).toEqual([["0", "0", "0"], 503]);
    expect(await trade(next)).toEqual(["50026", "50026", "50026"]);
    await owner.query(EXPAND);
    await expect.poll(() => isReady(next)).toBe(200);
    expect([await trade(old), await trade(next)]).toEqual([
      ["0", "0", "0"],
      ["0", "0", "0"],
    ]);
    await owner.query("update price_bands set upper_pct = 10 where inst_id = 'BTC-USDT'");
    const high = { ...FAR_BUY, ordType: "limit", px: "70000", side: "sell" };
    await expect.poll(() => codeOf(next, "trade/order", high)).toBe("51137");
    expect(await codeOf(old, "trade/order", high)).toBe("0");
    await owner.query("alter table instruments drop column max_deviation_pct");
    await expect.poll(() => isReady(old)).toBe(503);
    expect([await codeOf(old, "trade/order", FAR_BUY), await trade(next)]).toEqual(["50026", ["0", "0", "0"]]);
    await owner.query("alter table instruments add column max_deviation_pct numeric not null default 50");
    await expect.poll(() => isReady(old)).toBe(200);
    expect([old.errors(), next.errors()]).toEqual(["", ""]);
    expect([await old.end("SIGTERM"), await next.end("SIGTERM")]).toEqual([0, 0]);
  });
});

describe("users' rows", () => {
  test("leverage that a user sets is in the metadata store, and is overwritten, not doubled", async () => {
    const gateway = await startRelease("1.0");
    for (const lever of ["3", "7"])
      expect(
        (await post(gateway, "account/set-leverage", { lever, mgnMode: "cross", instId: "BTC-USDT" })).body.code,
      ).toBe("0");
    expect((await owner.query("select uid, leverage::text from account_settings")).rows).toEqual([
      { uid: ALICE.uid, leverage: "7" },
    ]);
  });

  test("an account whose route is gone cannot trade, the others can, and it can again at once when the route is back", async () => {
    const gateway = await startRelease("1.0");
    const other = accountOf("1004", "production", KEY_SEED);
    await owner.query("delete from routes where shard = 3");
    expect([await trade(gateway), await trade(gateway, other)]).toEqual([
      ["50026", "50026", "50026"],
      ["0", "0", "0"],
    ]);
    await owner.query("insert into routes values (3, 'main')");
    expect(await trade(gateway)).toEqual(["0", "0", "0"]);
  });
});

describe("faults", () => {
  test("2.1 loses amends to 50026, and nothing else", async () => {
    const gateway = await startRelease("2.1", { FAULT: '{"amendShare":1}' });
    expect(await trade(gateway)).toEqual(["0", "50026", "0"]);
  });

  test("2.2 loses amends of accounts with three resting orders, and of no other", async () => {
    const gateway = await startRelease("2.2", { FAULT: '{"share":1}' });
    const busy = accountOf("1044", "production", KEY_SEED);
    expect(await trade(gateway, busy)).toEqual(["0", "0", "0"]);
    for (let count = 0; count < 2; count += 1) await post(gateway, "trade/order", FAR_BUY, busy);
    expect(await trade(gateway, busy)).toEqual(["0", "50026", "0"]);
    expect(await trade(gateway, accountOf("1045", "production", KEY_SEED))).toEqual(["0", "0", "0"]);
  });
});

test.each(["1.0", "2.0", "2.1", "2.2"])(
  "every listed statement of %s runs as the gateway's role with its sample parameters",
  async (version) => {
    const url = new URL(`../../src/demo/venue/gateway/releases/${version}/statements.json`, import.meta.url);
    const statements = JSON.parse(readFileSync(url, "utf8")) as readonly {
      name: string;
      sql: string;
      params: string;
    }[];
    const client = new Client({ connectionString: postgres.gatewayUrl });
    await client.connect();
    try {
      await client.query("begin");
      for (const { sql, params } of statements) {
        const { rows, fields } = await client.query<unknown[]>({ text: params, rowMode: "array" });
        expect(rows.length).toBeGreaterThan(0);
        // A column `cohort` says whom a sample stands for.
        for (const row of rows)
          await client.query(
            sql,
            row.filter((_, index) => fields[index]?.name !== "cohort"),
          );
      }
      await client.query("rollback");
    } finally {
      await client.end();
    }
  },
);

test("a gateway without its variables says which one, in one sentence, and does not start", async () => {
  await expect(startRelease("1.0", { METADATA_URL: "" })).rejects.toThrow(
    /^exit 1: VENUE_CONFIG: the environment variable METADATA_URL is not set\. To go on: .*\.\n$/,
  );
});

// Last: it takes the store away.
test("a metadata store that dies leaves the gateway running, not ready, and answering 50001", async () => {
  const gateway = await startRelease("1.0");
  expect(await trade(gateway)).toEqual(["0", "0", "0"]);
  await owner.end();
  await postgres.stop();
  await expect.poll(() => isReady(gateway)).toBe(503);
  expect(await trade(gateway)).toEqual(["50001", "50001", "50001"]);
  owner = new Client();
});
