import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import { promisify } from "node:util";
import { ROOT } from "./places.ts";

/** What a figure was measured on. Nothing in it is typed in by hand. */
export type Machine = {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly node: string;
  readonly os: string;
  readonly arch: string;
};

/** When, with which sources, and how busy the machine was before. */
export type Moment = {
  /** UTC. */
  readonly at: string;
  /** Commit, with `+` when files differ from it; undefined outside a checkout. */
  readonly commit: string | undefined;
  /** Load averages over 1, 5 and 15 minutes. On a quiet machine the first is near 0. */
  readonly load: readonly number[];
};

export async function machine(): Promise<Machine> {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryGb: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    node: process.version,
    os: `${(await distribution()) ?? type()} (${type()} ${release()})`,
    arch: arch(),
  };
}

export async function moment(): Promise<Moment> {
  return {
    at: new Date().toISOString(),
    commit: await commit(),
    load: loadavg().map((one) => Math.round(one * 100) / 100),
  };
}

async function distribution(): Promise<string | undefined> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(text)?.[1];
}

async function commit(): Promise<string | undefined> {
  const git = async (...args: readonly string[]) =>
    (await promisify(execFile)("git", args, { cwd: ROOT })).stdout.trim();
  try {
    const changed = await git("status", "--porcelain", "--", "src", "plans", "bin", "scripts", "package-lock.json");
    return `${await git("rev-parse", "--short", "HEAD")}${changed === "" ? "" : "+"}`;
  } catch {
    return undefined;
  }
}
