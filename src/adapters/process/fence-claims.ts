import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import { codeOf, onState, touchFile } from "./durable.ts";

/**
 * The highest fence that ever ordered something in a place, kept as the name of an empty file. A name is created at once or not at all,
 * and never overwrites a higher one, so two conductors need no lock to agree on who is the later.
 */
export type FenceClaims = {
  /** Throws `FENCED` when a higher one came before. */
  check(fence: Fence): Promise<void>;
  /** Checks, and remembers durably. */
  claim(fence: Fence): Promise<void>;
  highest(): Promise<Fence>;
};

export const fenceClaims = (dir: string, component: string, region: string): FenceClaims => {
  const folder = join(dir, "fences", encodeURIComponent(component), encodeURIComponent(region));
  const names = () => onState("read", folder, () => readdir(folder).catch(none));
  const highest = async (): Promise<Fence> => fenceOf((await names()).toSorted().at(-1));
  const check = async (fence: Fence): Promise<void> => {
    const known = await highest();
    if (isLower(fence, known)) throw fenced(fence, known, `${component} in ${region}`);
  };
  return {
    highest,
    check,
    async claim(fence) {
      const before = await names();
      if (!before.includes(nameOf(fence))) await touchFile(join(folder, nameOf(fence)));
      // Looked at after our own name stands: of two at once, at least the lower one sees the other.
      await check(fence);
      await Promise.all(
        before.filter((name) => name < nameOf(fence)).map((name) => rm(join(folder, name), { force: true })),
      );
    },
  };
};

/** A write came too late: somebody with `known` acts here now. */
export const fenced = (fence: Fence, known: Fence | string, where: string): UpgradeError =>
  new UpgradeError(
    "FENCED",
    `a write with fence ${fenceText(fence)} was refused for ${where}, where ${typeof known === "string" ? known : fenceText(known)} was seen`,
    {
      hint: "look at `midflight status` to see who acts now",
    },
  );

const isLower = (one: Fence, other: Fence): boolean =>
  one.epoch < other.epoch || (one.epoch === other.epoch && one.seq < other.seq);

/** Sorts as the fence does. */
const nameOf = ({ epoch, seq }: Fence): string => `${String(epoch).padStart(16, "0")}.${String(seq).padStart(16, "0")}`;

function fenceOf(name: string | undefined): Fence {
  const [epoch = "0", seq = "0"] = name?.split(".") ?? [];
  return { epoch: Number(epoch), seq: Number(seq) };
}

const none = (error: unknown): string[] => {
  if (codeOf(error) === "ENOENT") return [];
  throw error;
};
