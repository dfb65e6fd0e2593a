import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { CATALOG } from "../../src/errors/catalog.ts";
import { midflightBinary } from "../support/build.ts";
import { midflight } from "../support/cli.ts";
import { scratch } from "../support/scratch.ts";

const folder = scratch();

describe("init", () => {
  test("writes files that check finds nothing wrong with, alone and with their environment", async () => {
    const dir = folder();
    const init = await midflight(["init", "first"], { cwd: dir });
    expect(init.status, init.stderr).toBe(0);
    expect(init.stdout).toContain("midflight check first/plan.yaml --env production");
    for (const words of [
      ["check", "first/plan.yaml"],
      ["check", "first/plan.yaml", "--env", "production"],
      ["check", "first/plan.yaml", "--env", "demo"],
      ["check", "first/plan.yaml", "--env", "first/production.yaml"],
    ]) {
      const { status, stdout, stderr } = await midflight(words, { cwd: dir });
      expect(status, stderr).toBe(0);
      expect(stdout).toContain("nothing wrong");
    }
    const json = await midflight(["check", "plan.yaml", "--env", "production", "--json"], { cwd: join(dir, "first") });
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: "check", ok: true, problems: [] });
  });

  test("writes all or nothing, and never over a file", async () => {
    const dir = folder();
    writeFileSync(join(dir, "production.yaml"), "mine\n");
    const { status, stderr } = await midflight(["init"], { cwd: dir });
    expect([status, stderr.includes("FILE_EXISTS")]).toEqual([3, true]);
    expect(readdirSync(dir)).toEqual(["production.yaml"]);
    expect(readFileSync(join(dir, "production.yaml"), "utf8")).toBe("mine\n");
  });
});

describe("explain", () => {
  test("knows every code, in any case of letters", async () => {
    const dir = folder();
    const all = await midflight(["explain"], { cwd: dir });
    expect(
      all.stdout
        .trim()
        .split("\n")
        .map((line) => line.split(" ")[0]),
    ).toEqual(Object.keys(CATALOG));
    const one = await midflight(["explain", "lease_held"], { cwd: dir });
    expect([one.status, one.stdout.includes(CATALOG.LEASE_HELD.explain)]).toEqual([0, true]);
  });
});

describe("schema", () => {
  test.each(["plan", "environment", "releases"])(
    "prints the JSON Schema of a %s file, the one that lies in plans/",
    async (which) => {
      const { status, stdout } = await midflight(["schema", which], { cwd: folder() });
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toEqual(
        JSON.parse(readFileSync(new URL(`../../plans/${which}.schema.json`, import.meta.url), "utf8")),
      );
    },
  );
});

describe("completion", () => {
  test.each([
    ["bash", ["bash", "-n"]],
    ["zsh", ["zsh", "-n"]],
    ["fish", ["fish", "-n"]],
  ] as const)("prints a script that %s can read", async (shell, [command, check]) => {
    const { status, stdout } = await midflight(["completion", shell], { cwd: folder() });
    expect(status).toBe(0);
    expect(stdout).toContain("upgrade");
    expect(stdout).toContain("rollback");
    const isThere = spawnSync(command, ["--version"]).status === 0;
    expect(isThere ? spawnSync(command, [check], { input: stdout }).status : 0).toBe(0);
  });

  test("completes commands in bash", async () => {
    const { stdout } = await midflight(["completion", "bash"], { cwd: folder() });
    const asked = `${stdout}\nCOMP_WORDS=(midflight ro); COMP_CWORD=1; _midflight; echo "$COMPREPLY"`;
    expect(spawnSync("bash", ["-c", asked], { encoding: "utf8" }).stdout.trim()).toBe("rollback");
  });
});

describe("help", () => {
  test("is printed on stdout, with examples and exit statuses, for midflight and for every command", async () => {
    const dir = folder();
    const { status, stdout, stderr } = await midflight(["--help"], { cwd: dir });
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("Exit status: 0 promoted");
    const commands = [...stdout.matchAll(/^ {2}([a-z]+) /gm)]
      .map(([, name]) => name ?? "")
      .filter((name) => name !== "help");
    expect(commands).toContain("rollback");
    for (const command of commands) {
      const help = await midflight([command, "--help"], { cwd: dir });
      expect([command, help.status, help.stdout.startsWith(`Usage: midflight ${command}`)]).toEqual([command, 0, true]);
    }
    expect(existsSync(join(dir, ".midflight"))).toBe(false);
  }, 30_000);

  test("loads nothing but the command line: none of what plans, runs or drivers need", () => {
    const { stderr, status } = spawnSync(process.execPath, [midflightBinary(), "--help"], {
      encoding: "utf8",
      env: { ...process.env, NODE_DEBUG: "esm" },
    });
    expect(status).toBe(0);
    const loaded = [...stderr.matchAll(/dist\/(?:chunks|cli)\/([\w.-]+\.js)/g)].map(([, name]) => name);
    expect(loaded.some((name) => name === "main.js")).toBe(true);
    expect(
      loaded.filter((name) => /^(load|live|wiring|demo|metadata|lib|guard-thread|failure-text)/.test(name ?? "")),
    ).toEqual([]);
  });

  test("tells its version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
      readonly version: string;
    };
    expect((await midflight(["--version"], { cwd: folder() })).stdout.trim()).toBe(version);
  });
});

describe("an empty state folder", () => {
  test("has no runs, and says which folder it is", async () => {
    const dir = folder();
    const { status, stdout } = await midflight(["runs"], { cwd: dir });
    expect([status, stdout.trim()]).toEqual([0, `no runs in ${join(dir, ".midflight")}`]);
    expect((await midflight(["runs", "--json"], { cwd: dir })).stdout).toBe("");
    expect((await midflight(["runs", "prune"], { cwd: dir })).stdout.trim()).toBe("removed 0 of 0 ended runs");
    for (const command of ["status", "report", "resume"]) {
      const { status: refused, stderr } = await midflight([command], { cwd: dir });
      expect([refused, stderr.includes("--state")]).toEqual([3, true]);
    }
    expect(readdirSync(dir)).toEqual([]);
  });
});
