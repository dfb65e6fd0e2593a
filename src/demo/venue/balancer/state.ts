import { open, readFile, rename } from "node:fs/promises";
import { UpgradeError } from "../../../errors/upgrade-error.ts";
import { isFields, readJson, textOf } from "../fields.ts";
import { parseBackend } from "./backend.ts";
import type { Backend } from "./backend.ts";
import { NO_FENCE, parseFence } from "./fence.ts";
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
  const state = parseState(readJson(text));
  if (state !== undefined) return state;
  throw new UpgradeError("VENUE_CONFIG", `the balancer's state file ${path} is damaged`, {
    hint: "restore the file, or remove it and add the backends again",
  });
};

const parseState = (value: unknown): BalancerState | undefined => {
  if (!isFields(value) || !isFields(value["fence"]) || !Array.isArray(value["backends"])) return undefined;
  const fence = parseFence(`${textOf(value["fence"], "epoch")}.${textOf(value["fence"], "seq")}`);
  const backends = value["backends"].map((each: unknown) =>
    isFields(each) ? parseBackend(textOf(each, "id"), each) : undefined,
  );
  const whole = backends.filter((each) => each !== undefined);
  return fence === undefined || whole.length < backends.length ? undefined : { fence, backends: whole };
};
