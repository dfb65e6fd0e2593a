import { open, readFile, rename } from "node:fs/promises";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { parseBackend } from "./backend.ts";
import type { Backend } from "./backend.ts";
import { NO_FENCE } from "./fence.ts";
import type { Fence } from "./fence.ts";

/** What a balancer must not forget: its backends, and the highest fence that it obeyed. */
export type BalancerState = { readonly fence: Fence; readonly backends: readonly Backend[] };

export const EMPTY: BalancerState = { fence: NO_FENCE, backends: [] };

/** Writes the state so that a reader finds the old or the new one, never half of it. */
export const saveState = async (path: string, state: BalancerState): Promise<void> => {
  const draft = `${path}.new`;
  const file = await open(draft, "w");
  try {
    await file.writeFile(JSON.stringify(state));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
};

/** The saved state; empty when there is none. Rejects with VENUE_CONFIG when the file is damaged: starting without backends or fence would be worse. */
export const loadState = async (path: string): Promise<BalancerState> => {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return EMPTY;
  try {
    return parseState(JSON.parse(text));
  } catch (cause) {
    throw new UpgradeError("VENUE_CONFIG", `the balancer's state file ${path} is damaged`, { hint: "restore the file, or remove it and add the backends again", cause });
  }
};

const parseState = (value: unknown): BalancerState => {
  const { fence, backends } = value as { readonly fence: Fence; readonly backends: readonly { readonly id: string }[] };
  if (!Number.isInteger(fence.epoch) || !Number.isInteger(fence.seq)) throw new TypeError("fence");
  const parsed = backends.map((each) => {
    const backend = parseBackend(each.id, each);
    if (backend === undefined) throw new TypeError("backend");
    return backend;
  });
  return { fence: { epoch: fence.epoch, seq: fence.seq }, backends: parsed };
};
