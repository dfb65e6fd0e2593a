import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A folder that both engines can reach. It decides who may go on without the other: epoch N belongs to the one
 * that created `epoch-N`, and to nobody else, ever.
 */
export type Witness = {
  /** Wins the epoch or loses it; `false` when it belongs to another. */
  claim(epoch: number): boolean;
  isTaken(epoch: number): boolean;
  /** The highest epoch and its owner; epoch 0 before the first claim. */
  latest(): { readonly epoch: number; readonly owner: string };
};

/** `name` is the engine that claims. Throws the file system's error when the folder cannot be used. */
export const openWitness = (dir: string, name: string): Witness => {
  mkdirSync(dir, { recursive: true });
  const fileOf = (epoch: number): string => join(dir, `epoch-${epoch}`);
  return {
    claim(epoch) {
      // A link appears with its content, all at once: nobody can read an epoch whose owner is not yet written.
      const draft = join(dir, `claim-${name}-${process.pid}`);
      writeFileSync(draft, name);
      try {
        linkSync(draft, fileOf(epoch));
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
      } finally {
        rmSync(draft, { force: true });
      }
    },
    isTaken: (epoch) => statSync(fileOf(epoch), { throwIfNoEntry: false }) !== undefined,
    latest() {
      const epochs = readdirSync(dir).flatMap((file) => /^epoch-(\d+)$/.exec(file)?.[1] ?? []);
      const epoch = Math.max(0, ...epochs.map(Number));
      return { epoch, owner: epoch === 0 ? "" : readFileSync(fileOf(epoch), "utf8") };
    },
  };
};
