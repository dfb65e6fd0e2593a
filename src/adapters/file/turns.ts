import { link, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Claim, Turns } from "../../ports/turns.ts";
import { FILE_MODE, ensureFolder, writeAside } from "./durable.ts";
import { codeOf } from "./state-error.ts";

/**
 * The turns of one key, a folder: `N.json` claims turn N and is made exclusively, so that exactly one of two rivals wins it; `N.beat` is the
 * holder's heartbeat; `N.released` gives the turn back. The highest turn counts. It stays for ever, and with it the epoch.
 */
export function turnsIn(folder: string): Turns {
  const claims = async (): Promise<readonly number[]> =>
    (await namesIn(folder)).flatMap((name) => /^(\d+)\.json$/.exec(name)?.[1] ?? []).map(Number);
  const highest = async (): Promise<number> => Math.max(0, ...(await claims()));
  const fileOf = (turn: number, kind: "json" | "beat" | "released"): string => join(folder, `${turn}.${kind}`);

  return {
    async last() {
      for (;;) {
        const turn = await highest();
        if (turn === 0) return undefined;
        const path = fileOf(turn, "json");
        const text = await textOf(path);
        // Whoever claimed a later turn clears away the earlier ones.
        if (text === undefined) continue;
        const [released, beat] = await Promise.all([textOf(fileOf(turn, "released")), textOf(fileOf(turn, "beat"))]);
        return { turn, claim: parseClaim(path, text), isReleased: released !== undefined, beat: beat ?? "" };
      }
    },
    async standing(turn, claim) {
      if ((await highest()) > turn) return "overtaken";
      const text = await textOf(fileOf(turn, "json"));
      return text !== undefined && parseClaim(fileOf(turn, "json"), text).id === claim.id ? "last" : "removed";
    },
    async claim(turn, claim) {
      await ensureFolder(folder);
      if (!(await makeExclusively(fileOf(turn, "json"), `${JSON.stringify(claim)}\n`))) return false;
      // A turn that was free because it was cleared away is no win: then there is a later one.
      if ((await highest()) > turn) return false;
      await clearBefore(folder, turn);
      return true;
    },
    // Neither synced nor atomic: a heartbeat says something by changing, and means nothing after a power cut.
    beat: (turn, count) => writeFile(fileOf(turn, "beat"), String(count), { mode: FILE_MODE }),
    async release(turn) {
      await makeExclusively(fileOf(turn, "released"), "");
    },
  };
}

async function makeExclusively(path: string, text: string): Promise<boolean> {
  try {
    await writeAside(path, text, (aside) => link(aside, path));
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

async function clearBefore(folder: string, turn: number): Promise<void> {
  for (const name of await namesIn(folder)) {
    const old = /^(\d+)\.(?:json|beat|released)$/.exec(name)?.[1];
    if (old !== undefined && Number(old) < turn) await rm(join(folder, name), { force: true });
  }
}

const namesIn = (folder: string): Promise<readonly string[]> =>
  readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  });

const textOf = (path: string): Promise<string | undefined> =>
  readFile(path, "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  });

function parseClaim(path: string, text: string): Claim {
  try {
    const claim = JSON.parse(text) as Claim;
    if (
      Number.isSafeInteger(claim.epoch) &&
      typeof claim.holder.run === "string" &&
      Number.isFinite(claim.holder.since)
    )
      return claim;
  } catch {
    // Said below, as for every other damage.
  }
  throw new UpgradeError("LEASE_CORRUPT", `${path} is damaged, so nobody knows who holds the lease, nor its epoch`, {
    hint: "restore the file from a copy; its epoch must not be lower than the one in the newest run's journal",
  });
}
