import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { watchSessions, type Clients } from "../../src/adapters/postgres/watch-sessions.ts";
import { connectionsOf } from "../../src/adapters/process/connections.ts";
import type { SessionReading } from "../../src/ports/sessions.ts";
import { until } from "../support/cli.ts";
import { startTestServer, type TestServer } from "../support/database.ts";

/** A release that does what stands in its first argument as soon as it is connected, and then stands idle. */
const PROGRAM = `
import pg from "pg";
const client = new pg.Client({ connectionString: process.argv[1], application_name: "gateway 2.0" });
await client.connect();
await client.query("select count(*) from instruments");
console.log("connected");
for (const text of process.argv.slice(2)) await client.query(text);
console.log("up");
setInterval(() => {}, 1e6);
`;

let server: TestServer;
let url = "";
const children: ChildProcess[] = [];
beforeAll(async () => {
  server = await startTestServer();
  url = await server.database();
  const owner = await server.session(url);
  await owner.query("create table instruments (id int primary key, name text)");
  await owner.query("insert into instruments select g, 'x' from generate_series(1, 100) g");
}, 60_000);
afterAll(async () => {
  await server?.stop();
}, 60_000);
afterEach(async () => {
  await Promise.all(
    children.splice(0).map(async (child) => {
      const ended = child.exitCode === null ? new Promise((resolve) => child.once("exit", resolve)) : undefined;
      child.kill("SIGKILL");
      await ended;
    }),
  );
});

const never = new AbortController().signal;

const portsOf = async (groups: readonly number[]): Promise<Clients | undefined> => {
  const ports = await connectionsOf(groups);
  return ports === undefined ? undefined : { ports };
};

type Wish = { readonly says?: "connected" | "up"; readonly meanwhile?: () => Promise<unknown> };

/** Starts a program of its own group, and watches its sessions from before its start. */
async function watched(
  statements: readonly string[],
  { says = "up", meanwhile = () => Promise.resolve() }: Wish = {},
): Promise<SessionReading> {
  const groups: number[] = [];
  const watch = await watchSessions({ store: "orders-db", url, clients: () => portsOf(groups) }, never);
  try {
    const child = spawn(process.execPath, ["--input-type=module", "-e", PROGRAM, url, ...statements], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    children.push(child);
    groups.push(child.pid ?? 0);
    const lines = createInterface({ input: child.stdout });
    await new Promise<void>((resolve) => lines.on("line", (line) => line === says && resolve()));
    await meanwhile();
    return await watch.answer("writes-too", never);
  } finally {
    await watch.close();
  }
}

describe("a new instance in the dark", () => {
  test("that only reads has done nothing", async () => {
    expect(await watched(["select * from instruments where id = 1", "listen changes"])).toMatchObject({
      store: "orders-db",
      sessions: 1,
      acts: [],
    });
  });

  test.each([
    { name: "writes a row when it starts", statement: "insert into instruments values (1000, 'new')" },
    { name: "locks a row", statement: "select * from instruments where id = 1 for update" },
    { name: "makes a table", statement: "create table mine (id int)" },
  ])("that $name is found, although it stands idle since", { timeout: 40_000 }, async ({ statement }) => {
    const reading = await watched([statement]);
    expect(reading.acts).toMatchObject([{ kind: "write" }]);
    expect(reading.transactions).toBeGreaterThan(0);
  });

  test("that takes the lead is found", async () => {
    const { acts } = await watched(["select pg_advisory_lock(4711)"]);
    expect(acts).toEqual([
      {
        kind: "advisory-lock",
        session: expect.stringContaining("gateway 2.0") as unknown,
        lock: "0:4711:1 ExclusiveLock",
      },
    ]);
  });

  test("that waits for the lead is found as well", async () => {
    const leader = await server.session(url);
    await leader.query("select pg_advisory_lock(4712)");
    const waiting = "select 1 from pg_locks where locktype = 'advisory' and objid = 4712 and not granted";
    const { acts } = await watched(["select pg_advisory_lock(4712)"], {
      says: "connected",
      meanwhile: () => until("it waits", async () => (await leader.query(waiting)).rows.length > 0, 10_000),
    });
    expect(acts).toMatchObject([{ kind: "advisory-lock", lock: "0:4712:1 ExclusiveLock (waiting)" }]);
    await leader.query("select pg_advisory_unlock(4712)");
  });

  test("is not blamed for what others write", { timeout: 40_000 }, async () => {
    const other = await server.session(url);
    await other.query("select pg_advisory_lock(1)");
    const reading = await watched(["select count(*) from instruments"], {
      meanwhile: () => other.query("update instruments set name = 'y' where id < 50"),
    });
    expect(reading).toMatchObject({ sessions: 1, transactions: 1, acts: [] });
  });
});

test("who may not see the sessions of others is told so, and claims nothing", async () => {
  const gateway = new URL(server.gatewayUrl);
  gateway.pathname = new URL(url).pathname;
  const owner = await server.session(url);
  await owner.query(`grant connect on database ${gateway.pathname.slice(1)} to public`);
  const watch = await watchSessions(
    { store: "orders-db", url: gateway.href, clients: () => Promise.resolve({ ports: new Set<number>() }) },
    never,
  );
  const reading = await watch.answer("writes-too", never);
  await watch.close();
  expect(reading.blindTo).toEqual({
    what: "sessions",
    why: expect.stringContaining("may not see the sessions of others") as unknown,
  });
});

describe("instances that are known by their address", () => {
  const readBy = async (address: string): Promise<SessionReading> => {
    const watch = await watchSessions(
      { store: "orders-db", url, clients: () => Promise.resolve({ addresses: new Set([address]) }) },
      never,
    );
    const session = await server.session(url);
    await session.query("select pg_advisory_lock(4713)");
    const reading = await watch.answer("leadership", never);
    await session.query("select pg_advisory_unlock(4713)");
    await watch.close();
    return reading;
  };

  test("are seen in what they do", async () => {
    const { acts, blindTo } = await readBy("127.0.0.1");
    expect(acts).toContainEqual(
      expect.objectContaining({ kind: "advisory-lock", lock: "0:4713:1 ExclusiveLock" }) as unknown,
    );
    expect(blindTo?.what).not.toBe("sessions");
  });

  test("and have no session by it prove nothing: something in between may hide them", async () => {
    expect(await readBy("10.9.9.9")).toMatchObject({
      sessions: 0,
      acts: [],
      blindTo: {
        what: "sessions",
        why: expect.stringContaining("no session came from an address of theirs") as unknown,
      },
    });
  });
});

test("instances that nobody can tell apart any more prove nothing, although they could be told before", async () => {
  const known: (Clients | undefined)[] = [{ addresses: new Set() }, undefined];
  const watch = await watchSessions(
    { store: "orders-db", url, clients: () => Promise.resolve(known.length > 1 ? known.shift() : known[0]) },
    never,
  );
  const { blindTo } = await watch.answer("leadership", never);
  await watch.close();
  expect(blindTo).toMatchObject({ what: "sessions", why: "this system does not tell whose connection is whose" });
});
