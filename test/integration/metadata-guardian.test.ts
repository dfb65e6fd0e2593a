import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { endGuarded, guardFolder, spawnGuarded } from "../../src/demo/venue/guardian.ts";
import { until } from "./engine-pair.ts";

const GUARDIAN = fileURLToPath(new URL("../../src/demo/venue/guardian.ts", import.meta.url));

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "guardian-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true, maxRetries: 40, retryDelay: 50 }));

/** Writes a growing count into a file for as long as it lives, and says in another that it was asked to end. */
const BUSY =
  'trap "echo asked > $1.asked; [ $2 = stubborn ] || exit 3" TERM; n=0; while :; do n=$((n + 1)); echo $n > "$1"; sleep 0.05; done';
const busy = (name: string, how: "obedient" | "stubborn"): readonly string[] => [
  "/bin/sh",
  "-c",
  BUSY,
  "sh",
  join(dir, name),
  how,
];

const isBusy = async (name: string): Promise<boolean> => {
  const read = (): string => (existsSync(join(dir, name)) ? readFileSync(join(dir, name), "utf8") : "");
  const before = read();
  await new Promise((resolve) => setTimeout(resolve, 200));
  return read() !== before;
};

/** A process that guards what `script` says; `argv` is there as JSON. */
const guardingProcess = async (script: string): Promise<ChildProcess> => {
  const code = `import { guardFolder, spawnGuarded } from ${JSON.stringify(GUARDIAN)};\n${script}\nconsole.log("ready"); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
};

test("what it started ends when its parent is killed, also what does not want to", { timeout: 30_000 }, async () => {
  const parent = await guardingProcess(`
    spawnGuarded(${JSON.stringify(busy("obedient", "obedient"))});
    spawnGuarded(${JSON.stringify(busy("stubborn", "stubborn"))}, { graceSec: 1 });
  `);
  for (const name of ["obedient", "stubborn"])
    await until(`${name} works`, () => (existsSync(join(dir, name)) ? true : undefined));
  parent.kill("SIGKILL");
  await until("the obedient one ended", async () => ((await isBusy("obedient")) ? undefined : true));
  await until("the stubborn one ended", async () => ((await isBusy("stubborn")) ? undefined : true));
  expect(existsSync(join(dir, "stubborn.asked"))).toBe(true);
});

test(
  "a guarded folder goes when its parent is killed, though others still write there; a released one stays",
  { timeout: 30_000 },
  async () => {
    const [kept, gone] = [join(dir, "kept"), join(dir, "gone")];
    const parent = await guardingProcess(`
    import { mkdirSync } from "node:fs";
    for (const path of ${JSON.stringify([kept, gone])}) mkdirSync(path);
    guardFolder(${JSON.stringify(kept)})();
    guardFolder(${JSON.stringify(gone)});
    spawnGuarded(["/bin/sh", "-c", "trap '' TERM; while mkdir -p ${gone}; do echo x > ${gone}/file; sleep 0.02; done"], { graceSec: 1 });
  `);
    parent.kill("SIGKILL");
    await until("the folder is gone for good", async () => {
      if (existsSync(gone)) return undefined;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return existsSync(gone) ? undefined : true;
    });
    expect(existsSync(kept)).toBe(true);
  },
);

test("the child's pid, signals and exit status are the command's own, and nothing of its group is left", async () => {
  const child = spawnGuarded(["/bin/sh", "-c", `echo $$; sleep 60 & echo $!; exec sleep 60`], { stdout: "pipe" });
  let text = "";
  child.stdout?.on("data", (part: Buffer) => (text += part.toString()));
  const [own, grandchild] = await until("both pids", () =>
    text.split("\n").length === 3 ? text.trim().split("\n").map(Number) : undefined,
  );
  expect(own).toBe(child.pid);
  const gone = once(child, "exit");
  child.kill("SIGUSR1");
  expect(await gone).toEqual([null, "SIGUSR1"]);
  await until("the grandchild is gone", () => (isAlive(grandchild ?? 0) ? undefined : true));
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};

test.each([
  { argv: ["/bin/sh", "-c", "exit 7"], code: 7 },
  { argv: ["no-such-command-anywhere"], code: 127 },
  { argv: ["/etc/passwd"], code: 126 },
  { argv: ["/bin/sh", "-c", "read -r line && exit 1; exit 0"], code: 0 },
])("$argv exits with $code", async ({ argv, code }) => {
  const [status] = (await once(spawnGuarded(argv), "exit")) as [number];
  expect(status).toBe(code);
});

test("one that does not end when asked is ended by force", async () => {
  const child = spawnGuarded(busy("stubborn", "stubborn"));
  await until("it works", () => (existsSync(join(dir, "stubborn")) ? true : undefined));
  await endGuarded(child, "SIGTERM", 300);
  expect(child.signalCode).toBe("SIGKILL");
  await endGuarded(child, "SIGTERM", 300);
});

test("guarding keeps no process alive that has nothing else to do", async () => {
  const code = `import { guardFolder } from ${JSON.stringify(GUARDIAN)}; guardFolder(${JSON.stringify(join(dir, "some"))});`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", code], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  expect(await once(child, "exit")).toEqual([0, null]);
  guardFolder(join(dir, "other"))();
});
