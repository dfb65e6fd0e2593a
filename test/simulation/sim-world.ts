import { UpgradeError } from "../../src/errors/upgrade-error.ts";
import type { Verdict, VerdictState } from "../../src/guard/verdict.ts";
import type { Migration } from "../../src/plan/model.ts";
import type { Fence } from "../../src/ports/fence.ts";
import type { Metadata } from "../../src/ports/metadata.ts";
import type { Runner } from "../../src/ports/runner.ts";
import type { Traffic, Weighing } from "../../src/ports/traffic.ts";
import type { Mark, ProofResult, Watcher } from "../../src/ports/watcher.ts";
import type { Instance, Shape, Workload, WorkloadState } from "../../src/ports/workload.ts";
import type { Luck } from "./luck.ts";
import type { SimClock } from "./sim-clock.ts";

export const OLD = { release: "gateway@1.0", digest: "sha256:old" };
export const NEW = { release: "gateway@2.0", digest: "sha256:new" };
export const REGIONS = ["tokyo", "frankfurt"] as const;
export const INSTANCES = 4;

/** What is wrong in this world. */
export type Trouble = {
  /** New instances fail users; probes show it in the dark, or only users do. */
  readonly badRelease?: "dark" | "live";
  /** This migration breaks users. */
  readonly badMigration?: string;
  /** New instances never get ready. */
  readonly neverReady?: boolean;
  /** A migration that cannot be applied, or not be taken back. */
  readonly failUp?: string;
  readonly failDown?: string;
  readonly backupFails?: boolean;
  /** Chance that a call is lost before or after it was applied. */
  readonly lossRate: number;
  /** A storm in the whole market: from, for how long, ms after the start. */
  readonly storm?: { readonly fromMs: number; readonly forMs: number };
  /** A region's instances die and come back. */
  readonly death?: { readonly fromMs: number; readonly forMs: number; readonly region: string };
  /** What has to do with a region's instances cannot be reached. They serve as before. */
  readonly outage?: { readonly fromMs: number; readonly forMs: number; readonly region: string };
  /** Somebody else starts an instance. */
  readonly foreignAtMs?: number;
};

type Cell = { id: string; release: string; digest: string; ordinal: number; isAlive: boolean; weightPct: number };

/**
 * `kept`: instances stay what they are, in the dark or in traffic. `in-place`: they are replaced in their places, as the pods of a StatefulSet are.
 * `brought`: whoever is admitted and not there is brought, and whoever is withdrawn leaves, as the pods of a Deployment do.
 */
export type Home = "kept" | "in-place" | "brought";

/** What the world reports to the checks, at the instant it happens. */
export type Witness = {
  arrived(what: "shape" | "weigh" | "migrate" | "run", fence: Fence, detail: string): void;
  /** `was` and `serving`: instances that served before and after. */
  capacity(region: string, cause: "shape" | "weigh", was: number, serving: number): void;
};

/** How long a trouble of everybody's looks like one of the new release, ms. */
const GLIMPSE_MS = 250;

/** A venue of two regions and one store that lives in simulated time; its ports lose, delay and double what they are told. */
export class SimWorld {
  readonly cells: Record<string, Cell[]> = {};
  readonly applied: string[] = [];
  readonly ran: string[] = [];
  private readonly startedAt: number;
  private readonly fences = new Map<string, Fence>();
  private readonly clock: SimClock;
  private readonly luck: Luck;
  trouble: Trouble;
  private readonly witness: Witness;

  /** Regions whose places all became the old release's again: an order that is repeated there starts nobody in the dark. */
  private readonly wentBack = new Set<string>();
  private readonly home: Home;

  constructor(clock: SimClock, luck: Luck, trouble: Trouble, witness: Witness, home: Home = "kept") {
    this.home = home;
    this.clock = clock;
    this.luck = luck;
    this.trouble = trouble;
    this.witness = witness;
    this.startedAt = clock.now();
    for (const region of REGIONS)
      this.cells[region] = Array.from({ length: INSTANCES }, (_, index) => this.cell(region, OLD, index + 1, 100));
    const { death, foreignAtMs } = trouble;
    if (death !== undefined) {
      clock.at(death.fromMs, () => this.setAlive(death.region, false));
      clock.at(death.fromMs + death.forMs, () => this.setAlive(death.region, true));
    }
    if (foreignAtMs !== undefined)
      clock.at(foreignAtMs, () =>
        this.cells["tokyo"]?.push({
          ...this.cell("tokyo", { release: "?", digest: "sha256:stranger" }, 1, 0),
          id: "stranger",
        }),
      );
  }

  private cell(region: string, release: typeof OLD, ordinal: number, weightPct: number): Cell {
    return { id: `gateway-${region}-${release.release}-${ordinal}`, ...release, ordinal, isAlive: true, weightPct };
  }

  private setAlive(region: string, isAlive: boolean): void {
    for (const cell of this.cells[region] ?? []) cell.isAlive = isAlive;
  }

  removeStrangers(): void {
    for (const region of REGIONS)
      this.cells[region] = (this.cells[region] ?? []).filter((cell) => cell.id !== "stranger");
  }

  serving(region: string): number {
    return (this.cells[region] ?? []).filter((cell) => cell.isAlive && cell.weightPct > 0).length;
  }

  state(region: string): WorkloadState {
    const instances = (this.cells[region] ?? []).map((cell): Instance => ({
      id: cell.id,
      release: cell.release,
      digest: cell.digest,
      ordinal: cell.ordinal,
      ready: cell.isAlive,
      weightPct: cell.weightPct,
      address: "127.0.0.1:1",
    }));
    return { region, instances };
  }

  /** Whether users' operations fail now, and whose fault it is. */
  health(): VerdictState {
    const elapsed = this.clock.now() - this.startedAt;
    const { storm, death, badMigration, badRelease } = this.trouble;
    const exposed = Object.values(this.cells)
      .flat()
      .filter((cell) => cell.digest === NEW.digest && cell.weightPct > 0);
    for (const trouble of [storm, death]) {
      if (trouble === undefined || elapsed < trouble.fromMs || elapsed >= trouble.fromMs + trouble.forMs) continue;
      // Who fails first is suspected, until it is seen that everybody does.
      return elapsed < trouble.fromMs + GLIMPSE_MS && exposed.length > 0 ? "suspect" : "disturbed";
    }
    if (badMigration !== undefined && this.applied.includes(badMigration)) return "failing";
    return badRelease === "live" && exposed.some(({ isAlive }) => isAlive) ? "suspect" : "healthy";
  }

  /** One call through a port: it takes time, it may be lost on either way, it may be applied twice, and a dead caller hears nothing. */
  private call<T>(isDead: () => boolean, signal: AbortSignal, act: () => T, region?: string): Promise<T> {
    return new Promise((resolve, reject) => {
      if (isDead()) return;
      const unreachable = () => new UpgradeError("WORKLOAD_UNREACHABLE", "no answer came", { hint: "look again" });
      const isLostBefore = this.luck.chance(this.trouble.lossRate);
      const isLostAfter = this.luck.chance(this.trouble.lossRate);
      const isDoubled = this.luck.chance(this.trouble.lossRate);
      const delay = this.luck.int(1, 40);
      this.clock.at(delay, () => {
        if (signal.aborted && this.luck.chance(0.5)) return isDead() ? undefined : reject(signal.reason);
        if (isLostBefore || this.isOut(region)) return isDead() ? undefined : reject(unreachable());
        try {
          let result = act();
          if (isDoubled) result = act();
          this.clock.at(this.luck.int(0, 10), () => {
            if (isDead()) return;
            if (isLostAfter) reject(unreachable());
            else resolve(result);
          });
        } catch (error) {
          if (!isDead()) reject(error);
        }
      });
    });
  }

  isOut(region: string | undefined): boolean {
    const { outage } = this.trouble;
    const elapsed = this.clock.now() - this.startedAt;
    return (
      outage !== undefined &&
      outage.region === region &&
      elapsed >= outage.fromMs &&
      elapsed < outage.fromMs + outage.forMs
    );
  }

  /** Each object remembers the highest fence that it was written with. */
  private check(place: string, fence: Fence): void {
    const last = this.fences.get(place) ?? { epoch: 0, seq: 0 };
    if (fence.epoch < last.epoch || (fence.epoch === last.epoch && fence.seq < last.seq)) {
      throw new UpgradeError(
        "FENCED",
        `a write with ${fence.epoch}.${fence.seq} came after ${last.epoch}.${last.seq}`,
        {
          hint: "stop",
        },
      );
    }
    this.fences.set(place, fence);
  }

  workload(isDead: () => boolean): Workload {
    return {
      observe: (region, signal) => this.call(isDead, signal, () => this.state(region), region),
      shape: (region, shape, fence, signal) =>
        this.call(
          isDead,
          signal,
          () => {
            this.check(region, fence);
            this.witness.arrived("shape", fence, region);
            const known = new Set(shape.releases.map((one) => one.digest));
            const strangers = (this.cells[region] ?? []).filter((cell) => !known.has(cell.digest));
            if (strangers.length > 0)
              throw new UpgradeError("FOREIGN_CHANGE", `${strangers[0]?.id ?? ""} is not of this run`, {
                hint: "end the other change",
              });
            if (this.home === "in-place") {
              this.replace(region, shape.releases);
              return this.state(region);
            }
            for (const wanted of shape.releases) {
              const isBroughtBack = this.home === "brought" && wanted.digest === OLD.digest;
              this.grow(region, wanted, isBroughtBack ? 100 : 0);
            }
            for (const wanted of shape.releases) this.shrink(region, wanted);
            return this.state(region);
          },
          region,
        ),
    };
  }

  private grow(
    region: string,
    wanted: { readonly release: string; readonly digest: string; readonly count: number },
    weightPct: number,
  ): void {
    const cells = this.cells[region] ?? [];
    for (let ordinal = 1; ordinal <= wanted.count; ordinal += 1) {
      if (cells.some((cell) => cell.digest === wanted.digest && cell.ordinal === ordinal)) continue;
      if (wanted.digest === NEW.digest && this.trouble.neverReady === true)
        throw new UpgradeError("VERIFY_FAILED", "the new instance never got ready", { hint: "read its log" });
      cells.push(this.cell(region, wanted, ordinal, weightPct));
    }
  }

  private shrink(region: string, wanted: { readonly digest: string; readonly count: number }): void {
    const was = this.serving(region);
    this.cells[region] = (this.cells[region] ?? []).filter(
      (cell) => cell.digest !== wanted.digest || cell.ordinal <= wanted.count,
    );
    this.witness.capacity(region, "shape", was, this.serving(region));
  }

  /**
   * There are as many places as ever: whoever leaves one is followed there by the other release. What a release has beyond its places stands in
   * the dark, but on the way back.
   */
  private replace(region: string, [first, second]: Shape["releases"]): void {
    if (first === undefined || second === undefined) throw new Error("a run orders two releases");
    const has = Math.min(INSTANCES, first.count);
    const rest = INSTANCES - has;
    if (second.count < rest) throw new Error(`${second.count} cannot fill ${rest} places`);
    const isBack = has > this.placed(region, first.digest).length;
    const isForward = has < this.placed(region, first.digest).length;
    if (isBack) this.wentBack.add(region);
    if (isForward) this.wentBack.delete(region);
    const dark = this.wentBack.has(region) ? rest : second.count;
    const isNew = ({ id, digest }: Cell): boolean =>
      digest === NEW.digest && this.cells[region]?.every((cell) => cell.id !== id) === true;
    const wanted = [
      ...this.row(region, first, { from: 0, to: has, weightPct: 100 }),
      ...this.row(region, second, { from: 0, to: rest, weightPct: 100 }),
      ...this.row(region, second, { from: rest, to: dark, weightPct: 0 }),
    ];
    if (this.trouble.neverReady === true && wanted.some((cell) => isNew(cell)))
      throw new UpgradeError("VERIFY_FAILED", "the new instance never got ready", { hint: "read its log" });
    const isChanged = this.placed(region, first.digest).length !== has;
    const was = this.serving(region);
    this.cells[region] = wanted;
    // One place is empty while it changes hands; on the way back up to half of them are.
    const missing = !isChanged ? 0 : isBack ? INSTANCES / 2 : 1;
    this.witness.capacity(region, "shape", was, this.serving(region) - missing);
  }

  /** Whoever is withdrawn leaves its place, and whoever was there before comes back. */
  private handOver(region: string, [first, second]: Weighing): void {
    if (first === undefined || second === undefined) return;
    const wanted = second.weightPct === 0 ? 0 : Math.min(INSTANCES, second.admitted);
    const present = this.placed(region, second.digest).length;
    if (wanted === present) return;
    if (wanted === 0) this.wentBack.add(region);
    else this.wentBack.delete(region);
    const was = this.serving(region);
    const dark = (this.cells[region] ?? []).filter((cell) => cell.weightPct === 0);
    const releaseOf = (digest: string) => (digest === OLD.digest ? OLD : NEW);
    this.cells[region] = [
      ...this.row(region, releaseOf(first.digest), { from: 0, to: INSTANCES - wanted, weightPct: 100 }),
      ...this.row(region, releaseOf(second.digest), { from: 0, to: wanted, weightPct: 100 }),
      ...dark.filter((cell) => cell.digest !== second.digest || cell.ordinal > wanted),
    ];
    this.witness.capacity(region, "weigh", was, this.serving(region) - (wanted === 0 ? present : 1));
  }

  /** Whoever is withdrawn leaves, and the others are as many as ever; otherwise all who are admitted are there, and in traffic. */
  private bring(region: string, weighing: Weighing): void {
    const was = this.serving(region);
    const leaving = weighing.find(({ weightPct, digest }) => weightPct === 0 && this.placed(region, digest).length > 0);
    const wanted = weighing
      .filter((rule) => rule.weightPct > 0)
      .map((rule) => ({
        ...(rule.digest === OLD.digest ? OLD : NEW),
        count: leaving === undefined ? rule.admitted : Math.max(rule.admitted, INSTANCES),
      }));
    this.cells[region] = (this.cells[region] ?? []).filter(
      (cell) => cell.digest !== leaving?.digest || cell.weightPct === 0,
    );
    for (const release of wanted) this.grow(region, release, 100);
    this.cells[region] = this.cells[region].flatMap((cell) => {
      const count = wanted.find(({ digest }) => digest === cell.digest)?.count ?? 0;
      if (cell.ordinal <= count) return [{ ...cell, weightPct: 100 }];
      return cell.weightPct === 0 ? [cell] : [];
    });
    this.witness.capacity(region, "weigh", was, this.serving(region));
  }

  private placed(region: string, digest: string): readonly Cell[] {
    return (this.cells[region] ?? []).filter((cell) => cell.digest === digest && cell.weightPct > 0);
  }

  /** Those who are there already stay as they are. */
  private row(
    region: string,
    release: typeof OLD,
    { from, to, weightPct }: { readonly from: number; readonly to: number; readonly weightPct: number },
  ): readonly Cell[] {
    return Array.from({ length: Math.max(0, to - from) }, (_, index) => {
      const cell = this.cell(region, release, from + index + 1, weightPct);
      const there = this.cells[region]?.find(({ id }) => id === cell.id);
      return there === undefined ? cell : { ...there, weightPct };
    });
  }

  traffic(isDead: () => boolean): Traffic {
    return {
      weigh: (region, weighing, fence, signal) =>
        this.call(
          isDead,
          signal,
          () => {
            this.check(region, fence);
            this.witness.arrived("weigh", fence, region);
            if (this.home === "in-place") return this.handOver(region, weighing);
            if (this.home === "brought") return this.bring(region, weighing);
            const was = this.serving(region);
            for (const cell of this.cells[region] ?? []) {
              const rules = weighing.filter((rule) => rule.digest === cell.digest);
              if (rules.length === 0) continue;
              cell.weightPct = rules.some((rule) => cell.ordinal <= rule.admitted) ? (rules[0]?.weightPct ?? 0) : 0;
            }
            this.witness.capacity(region, "weigh", was, this.serving(region));
          },
          region,
        ),
    };
  }

  metadata(isDead: () => boolean): Metadata {
    const state = () => ({
      fingerprint: `schema:${this.applied.join("+")}`,
      applied: this.applied.map((name) => ({ name, sha256: name })),
      server: "sim",
    });
    return {
      observe: (_migrations, signal) => this.call(isDead, signal, state),
      verify: (_names, _migrations, signal) => this.call(isDead, signal, () => {}),
      migrate: ({ direction, names }, fence, signal) =>
        this.call(isDead, signal, () => {
          this.check("db", fence);
          this.witness.arrived("migrate", fence, `${direction} ${names.join(",")}`);
          for (const name of direction === "up" ? names : names.toReversed()) this.one(direction, name);
          return { state: state(), reports: [] };
        }),
    };
  }

  private one(direction: "up" | "down", name: string): void {
    const at = this.applied.indexOf(name);
    if (direction === "up" && this.trouble.failUp === name)
      throw new UpgradeError("VERIFY_FAILED", `${name} failed`, { hint: "mend it" });
    if (direction === "down" && at >= 0 && this.trouble.failDown === name)
      throw new UpgradeError("VERIFY_FAILED", `the undo of ${name} failed`, { hint: "mend it" });
    if (direction === "up" && at < 0) this.applied.push(name);
    if (direction === "down" && at >= 0) this.applied.splice(at, 1);
  }

  runner(isDead: () => boolean): Runner {
    return {
      run: (order, signal) =>
        this.call(isDead, signal, () => {
          if (this.trouble.backupFails === true)
            throw new UpgradeError("VERIFY_FAILED", "the backup plan failed", { hint: "call somebody" });
          this.ran.push(order.argv.join(" "));
          // The backup plan of this world makes users whole, whatever broke them.
          if (this.trouble.badMigration !== undefined) {
            const { badMigration: _, ...rest } = this.trouble;
            this.trouble = rest;
          }
          return { output: "", ms: 1 };
        }),
    };
  }

  /** A guard that knows the truth after a short delay, and says so when it changes. */
  watcher(isDead: () => boolean): Watcher {
    let said: VerdictState | undefined;
    let on: { verdict(verdict: Verdict): void } | undefined;
    let suspectSince: number | undefined;
    let isStopped = false;
    let markedAt = this.clock.now();
    const waiting: { readonly need: number; readonly resolve: (verdict: Verdict) => void }[] = [];
    const verdictOf = (state: VerdictState): Verdict => ({
      state,
      reason: `the world is ${state}`,
      regions: [],
      at: this.clock.now(),
      streams: [],
    });
    const judge = () => {
      if (isStopped || isDead()) return;
      const truth = this.health();
      if (truth !== "suspect") suspectSince = undefined;
      else suspectSince ??= this.clock.now();
      const state: VerdictState =
        truth === "suspect" && suspectSince !== undefined && this.clock.now() - suspectSince > 3_000
          ? "failing"
          : this.wasWithdrawn(truth, said)
            ? "failing"
            : truth;
      if (state !== said) {
        said = state;
        on?.verdict(verdictOf(state));
      }
      if (state === "healthy" && this.clock.now() - markedAt > 300)
        for (const one of waiting.splice(0)) one.resolve(verdictOf("healthy"));
      this.clock.at(100, judge);
    };
    return {
      start: (_config, listener) => {
        on = listener;
        this.clock.at(50, judge);
        return Promise.resolve();
      },
      instances: () => {},
      mark: (_mark: Mark) => {
        markedAt = this.clock.now();
      },
      evidence: (_need, signal) =>
        new Promise((resolve, reject) => {
          if (signal.aborted) return reject(signal.reason);
          waiting.push({ need: 0, resolve });
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
      prove: (order, signal) =>
        this.call(isDead, signal, (): ProofResult =>
          this.trouble.badRelease === "dark"
            ? { kind: "refuted", reason: "a third of amends failed", outcomes: 30, failed: 10, ms: 100 }
            : { kind: "proved", outcomes: order.instances.length, ms: 100 },
        ),
      stop: () => {
        isStopped = true;
        return Promise.resolve();
      },
    };
  }

  /** Withdrawn instances, still probed, go on failing: the suspicion is confirmed in half of the worlds at once. */
  private wasWithdrawn(truth: VerdictState, said: VerdictState | undefined): boolean {
    return this.trouble.badRelease === "live" && said === "suspect" && truth === "healthy";
  }
}

export const migrationNamed = (name: string, phase: Migration["phase"]): Migration => ({
  name,
  phase,
  transactional: true,
  up: "-- up",
  verify: "-- verify",
  down: "-- down",
});
