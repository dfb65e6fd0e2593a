import { createRequire } from "node:module";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOfFolder } from "../../src/adapters/process/digest.ts";
import { systemClock } from "../../src/adapters/system/clock.ts";
import type { CliIo } from "../../src/cli/io.ts";
import { loadFiles } from "../../src/cli/files/load.ts";
import { wireDark } from "../../src/cli/wiring/dark.ts";
import { wireEstate } from "../../src/cli/wiring/estate.ts";
import { fileState } from "../../src/cli/wiring/state.ts";
import { wire } from "../../src/cli/wiring/wire.ts";
import { startBalancer } from "../../src/demo/venue/balancer/start.ts";
import { drillsOfDark, watchedWorld } from "../../src/rehearsal/dark.ts";
import type { DrillRun } from "../../src/rehearsal/stage.ts";
import { startTestServer, type TestServer } from "../support/database.ts";
import { scratch } from "../support/scratch.ts";

/** A release that comes to the store when it starts, and does there what its variable says. */
const RELEASE = `
const { createServer } = require("node:http");
const { Client } = require(${JSON.stringify(createRequire(import.meta.url).resolve("pg"))});
let isReady = false;
createServer((request, response) => response.writeHead(isReady ? 200 : 503).end("{}")).listen(Number(process.env.PORT), "127.0.0.1");
(async () => {
  const client = new Client({ connectionString: process.env.STORE, application_name: "gateway" });
  await client.connect();
  await client.query("select count(*) from bands");
  if (process.env.AT_START !== "") await client.query(process.env.AT_START);
  isReady = true;
})();
`;

const never = new AbortController().signal;
const folder = scratch();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
}, 60_000);
afterAll(async () => {
  await server?.stop();
}, 60_000);

/** Starts one instance of the release in the dark, by the real driver, and resolves with the drill of it. */
async function drilled(atStart: string) {
  await using stack = new AsyncDisposableStack();
  const dir = folder();
  const url = await server.database();
  await (await server.session(url)).query("create table bands (id int primary key)");
  const balancer = await startBalancer({
    region: "tokyo",
    port: 0,
    adminPort: 0,
    statePath: join(dir, "balancer.json"),
  });
  stack.defer(() => balancer.stop());
  const release = join(dir, "releases/gateway-2.0");
  mkdirSync(release, { recursive: true });
  writeFileSync(join(release, "main.cjs"), RELEASE);
  const put = (file: string, text: string) => writeFileSync(join(dir, file), text);
  put(
    "releases.yaml",
    `midflight: 1\nreleases:\n  gateway@2.0: { process: { digest: "${await digestOfFolder(release)}", path: ./releases/gateway-2.0, run: [node, main.cjs] } }\n`,
  );
  mkdirSync(join(dir, "migrations"));
  for (const part of ["up", "verify", "down"])
    put(`migrations/0001_a.${part}.sql`, `${part === "up" ? "-- midflight: phase expand\n" : ""}select 1;\n`);
  put(
    "plan.yaml",
    `midflight: 1
plan: dark
components:
  orders-db: { migrations: ./migrations }
  gateway: { release: gateway@2.0, needs: [orders-db] }
steps: [{ migrate: orders-db, phase: expand }, { roll: gateway }]
guard: { operations: [order] }
`,
  );
  put(
    "demo.yaml",
    `midflight: 1
environment: demo
class: demo
regions: { tokyo: { probe: { okx: { rest: "http://127.0.0.1:1", accounts: { env: PROBES, default: '[{"apiKey":"a","secret":"b","passphrase":"c"}]' } } } } }
components:
  orders-db: { driver: postgres, url: { env: STORE } }
  gateway: { driver: process, balancer: { tokyo: "http://127.0.0.1:${balancer.adminPort}" }, instances: 1, env: { STORE: { env: STORE }, AT_START: { env: AT_START } } }
`,
  );
  const io = { cwd: dir, env: { STORE: url, AT_START: atStart } } as unknown as CliIo;
  const loaded = await loadFiles(io, {
    plan: join(dir, "plan.yaml"),
    environment: join(dir, "demo.yaml"),
    releases: join(dir, "releases.yaml"),
  });
  const state = fileState(join(dir, "state"));
  const { estate } = wireEstate(loaded, "gateway", { env: io.env, stateDir: state.dir });
  stack.defer(() => estate.stop());
  const { world } = await wire(loaded, { env: io.env, cwd: dir, stateDir: state.dir, clock: systemClock, run: "r" });
  const dark = wireDark(loaded, { env: io.env, state, workloads: world.workloads, signal: never });
  stack.defer(() => dark.close());
  const proofless = { ...world.watcher, prove: () => Promise.resolve({}) } as unknown as typeof world.watcher;
  const watched = watchedWorld({ ...world, watcher: proofless }, loaded.graph, dark);
  const target = { release: "gateway@2.0", digest: await digestOfFolder(release) };
  await watched.workloads["gateway"]?.workload.shape(
    "tokyo",
    { releases: [{ ...target, count: 1 }], drain: { noticeMs: 0, deadlineMs: 0 } },
    { epoch: 1, seq: 1 },
    never,
  );
  const instances = [{ component: "gateway", region: "tokyo" }] as never;
  await watched.watcher.prove({ id: "p", instances, excludePct: 5, confidencePct: 99, deadlineMs: 1_000 }, never);
  const [drill] = drillsOfDark(loaded.graph, [{ dark: dark.readings() } as unknown as DrillRun]);
  return drill;
}

test("a release that only reads while it stands in the dark passes", { timeout: 60_000 }, async () => {
  expect(await drilled("")).toMatchObject({ outcome: "passed", step: "2-roll-gateway/wave-1/batch-1/prove" });
});

test.each([
  {
    name: "takes the lead",
    atStart: "select pg_advisory_lock(7)",
    says: /gateway \(pid \d+\) took the advisory lock 0:7:1/,
  },
  {
    name: "writes a row",
    atStart: "insert into bands values (1)",
    says: /wrote; its last statement was: insert into bands/,
  },
])(
  "a release that $name as soon as it starts is refused, before any user has reached it",
  { timeout: 60_000 },
  async ({ atStart, says }) => {
    const drill = await drilled(atStart);
    expect(drill?.outcome, drill?.detail).toBe("failed");
    expect(drill?.detail).toMatch(says);
    expect(drill?.detail).toContain("before anybody asked it anything");
  },
);
