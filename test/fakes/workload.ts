import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../src/ports/fence.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Traffic, Weighing } from "../../src/ports/traffic.ts";
import type { Instance, Shape, Workload, WorkloadState } from "../../src/ports/workload.ts";

type Call = "observe" | "shape" | "weigh";
type Release = { readonly release: string; readonly digest: string };

/** What befalls the next call. `late`: the caller is told that nobody answered, and it comes true `ms` later. */
type Luck =
  | { readonly kind: "refused"; readonly error: Error }
  | { readonly kind: "reply-lost" }
  | { readonly kind: "late"; readonly ms: number }
  | { readonly kind: "doubled" };

/** Instances and their weights, in memory, behind both ports. No timers and no IO: a call takes no time unless told. */
export type FakeWorld = {
  readonly workload: Workload;
  readonly traffic: Traffic;
  /** Everything that was asked, in order, applied or not. */
  readonly calls: readonly { readonly call: Call; readonly region: string; readonly fence?: Fence }[];
  state(region: string): WorkloadState;
  /** Instances that were there before: ready and in traffic. */
  place(region: string, release: Release, count: number, weightPct?: number): void;
  /** The next call of this kind rejects, and nothing happens. */
  fail(call: Call, error: Error): void;
  /** The next call of this kind comes true, and its answer is lost. */
  loseReply(call: Call): void;
  /** The next call of this kind comes true `ms` after its caller gave up. */
  late(call: Call, ms: number): void;
  /** The next call of this kind arrives twice. */
  double(call: Call): void;
  /** An instance dies. It stays recorded. */
  kill(id: string): void;
  /** It comes back with the weight it had. */
  revive(id: string): void;
  /** Instances of this digest never get ready, or do again. */
  spoil(digest: string, isSpoilt?: boolean): void;
  /** Somebody else puts an instance there. */
  intrude(region: string, instance: Instance): void;
  /** Somebody else takes an instance away, record and all. */
  remove(id: string): void;
  /** The region can, or cannot, be reached. */
  cut(region: string, isCut?: boolean): void;
};

type Cell = Omit<Instance, "ready" | "weightPct"> & { isAlive: boolean; weightPct: number };

export const fakeWorld = (options: { readonly component?: string; readonly clock?: Clock } = {}): FakeWorld => {
  const component = options.component ?? "gateway";
  const regions = new Map<string, Cell[]>();
  const fences = new Map<string, Fence>();
  const lucks = new Map<Call, Luck[]>();
  const spoilt = new Set<string>();
  const cuts = new Set<string>();
  const calls: { readonly call: Call; readonly region: string; readonly fence?: Fence }[] = [];
  let nextPort = 7000;

  const cells = (region: string): Cell[] => {
    const known = regions.get(region) ?? [];
    regions.set(region, known);
    return known;
  };
  const isReady = (cell: Pick<Cell, "isAlive" | "digest">): boolean => cell.isAlive && !spoilt.has(cell.digest);
  const state = (region: string): WorkloadState => ({
    region,
    instances: cells(region).map(({ isAlive, ...cell }) => ({
      ...cell,
      ready: isReady({ isAlive, digest: cell.digest }),
    })),
  });
  const start = (region: string, release: Release, ordinal: number, weightPct: number): string => {
    nextPort += 1;
    const id = `${component}-${region}-${release.release.slice(release.release.indexOf("@") + 1)}-${ordinal}-${release.digest.slice(-6)}`;
    cells(region).push({
      id,
      release: release.release,
      digest: release.digest,
      ordinal,
      isAlive: true,
      weightPct,
      address: `127.0.0.1:${nextPort}`,
    });
    return id;
  };
  const find = (id: string): Cell => {
    const cell = [...regions.values()].flat().find((one) => one.id === id);
    if (cell === undefined) throw new Error(`the fake world has no instance ${id}`);
    return cell;
  };

  const obey = (region: string, fence: Fence): void => {
    const highest = fences.get(region) ?? { epoch: 0, seq: 0 };
    if (fence.epoch < highest.epoch || (fence.epoch === highest.epoch && fence.seq < highest.seq)) {
      throw new UpgradeError(
        "FENCED",
        `a write with fence ${fenceText(fence)} came to ${region} after ${fenceText(highest)}`,
        { hint: "look at `midflight status`" },
      );
    }
    fences.set(region, fence);
  };

  const shape = (region: string, wanted: Shape, fence: Fence): WorkloadState => {
    obey(region, fence);
    const stranger = cells(region).find((cell) => !wanted.releases.some((one) => one.digest === cell.digest));
    if (stranger !== undefined)
      throw new UpgradeError("FOREIGN_CHANGE", `${stranger.id} (${stranger.digest}) in ${region} is not of this run`, {
        hint: "end the other change",
      });
    const kept = new Set(
      wanted.releases.flatMap(({ digest, count }) =>
        staying(region, digest)
          .slice(0, count)
          .map(({ id }) => id),
      ),
    );
    for (const release of wanted.releases) grow(region, release, kept);
    regions.set(
      region,
      cells(region).filter(({ id }) => kept.has(id)),
    );
    return state(region);
  };
  // Those who serve stay before those who don't, low places before high ones.
  const staying = (region: string, digest: string): readonly Cell[] =>
    cells(region)
      .filter((cell) => cell.digest === digest)
      .toSorted((a, b) => Number(isReady(b)) - Number(isReady(a)) || a.ordinal - b.ordinal);
  const grow = (region: string, release: Release & { readonly count: number }, kept: Set<string>): void => {
    const mine = () => cells(region).filter((cell) => cell.digest === release.digest && kept.has(cell.id));
    for (const cell of mine()) if (!cell.isAlive) Object.assign(cell, { isAlive: true, weightPct: 0 });
    for (let ordinal = 1; mine().length < release.count; ordinal += 1) {
      if (!mine().some((cell) => cell.ordinal === ordinal)) kept.add(start(region, release, ordinal, 0));
    }
    const sick = mine().find((cell) => !isReady(cell));
    if (sick !== undefined) {
      // What never got ready is ended; its place is remembered.
      if (sick.weightPct === 0) sick.isAlive = false;
      throw new UpgradeError("INSTANCE_NOT_READY", `${sick.id} did not get ready`, { hint: "read its log" });
    }
  };
  const weigh = (region: string, weighing: Weighing, fence: Fence): void => {
    obey(region, fence);
    const sick: string[] = [];
    for (const cell of cells(region)) {
      const rank = cells(region).filter(
        (other) => other.digest === cell.digest && other.ordinal <= cell.ordinal,
      ).length;
      const weightPct = weightIn(weighing, cell, rank);
      if (weightPct > cell.weightPct && cell.weightPct === 0 && !isReady(cell)) sick.push(cell.id);
      else cell.weightPct = weightPct;
    }
    if (sick.length > 0)
      throw new UpgradeError("INSTANCE_NOT_READY", `${sick.join(", ")} may not take traffic: not ready`, {
        hint: "read its log",
      });
  };

  const call = async <T>(
    kind: Call,
    region: string,
    signal: AbortSignal,
    fence: Fence | undefined,
    act: () => T,
  ): Promise<T> => {
    signal.throwIfAborted();
    calls.push({ call: kind, region, ...(fence === undefined ? {} : { fence }) });
    const luck = lucks.get(kind)?.shift();
    const gone = (): UpgradeError =>
      new UpgradeError(kind === "weigh" ? "BALANCER_UNREACHABLE" : "WORKLOAD_UNREACHABLE", `${region} did not answer`, {
        hint: "look again",
      });
    if (luck?.kind === "refused") throw luck.error;
    if (cuts.has(region)) throw gone();
    if (luck?.kind === "late") {
      // Nobody is left to hear what becomes of it.
      void options.clock
        ?.sleep(luck.ms, new AbortController().signal)
        .then(act)
        .catch(() => {});
      throw gone();
    }
    if (luck?.kind === "doubled") act();
    const result = act();
    if (luck?.kind === "reply-lost") throw gone();
    return result;
  };
  const befall = (kind: Call, luck: Luck): void => {
    lucks.set(kind, [...(lucks.get(kind) ?? []), luck]);
  };

  return {
    workload: {
      observe: (region, signal) => call("observe", region, signal, undefined, () => state(region)),
      shape: (region, wanted, fence, signal) =>
        call("shape", region, signal, fence, () => shape(region, wanted, fence)),
    },
    traffic: {
      weigh: (region, weighing, fence, signal) =>
        call("weigh", region, signal, fence, () => weigh(region, weighing, fence)),
    },
    calls,
    state,
    place(region, release, count, weightPct = 100) {
      for (let ordinal = 1; ordinal <= count; ordinal += 1) start(region, release, ordinal, weightPct);
    },
    fail: (kind, error) => befall(kind, { kind: "refused", error }),
    loseReply: (kind) => befall(kind, { kind: "reply-lost" }),
    late: (kind, ms) => befall(kind, { kind: "late", ms }),
    double: (kind) => befall(kind, { kind: "doubled" }),
    kill: (id) => void Object.assign(find(id), { isAlive: false }),
    revive: (id) => void Object.assign(find(id), { isAlive: true }),
    spoil: (digest, isSpoilt = true) => void (isSpoilt ? spoilt.add(digest) : spoilt.delete(digest)),
    intrude: (region, { ready, ...instance }) => void cells(region).push({ ...instance, isAlive: ready }),
    remove(id) {
      find(id);
      for (const [region, known] of regions)
        regions.set(
          region,
          known.filter((cell) => cell.id !== id),
        );
    },
    cut: (region, isCut = true) => void (isCut ? cuts.add(region) : cuts.delete(region)),
  };
};

/** What a weighing gives the `rank`th instance of its digest; digests that it does not name keep theirs. */
function weightIn(weighing: Weighing, cell: Cell, rank: number): number {
  const rules = weighing.filter((rule) => rule.digest === cell.digest);
  if (rules.length === 0) return cell.weightPct;
  return rules.find((rule) => rank <= rule.admitted)?.weightPct ?? 0;
}
