import type { Run } from "../../src/engine/run.ts";
import type { Journal, JournalBody, JournalRecord, RunStore } from "../../src/ports/journal.ts";
import type { Notification } from "../../src/ports/notifier.ts";
import { conduct, type Conduct } from "../../src/runtime/conduct.ts";
import { entryOf, replay } from "../../src/runtime/replay.ts";
import type { World } from "../../src/runtime/world.ts";
import { Checks } from "./checks.ts";
import { luckOf } from "./luck.ts";
import { draw, type Scenario } from "./scenario.ts";
import { SimClock } from "./sim-clock.ts";
import { migrationNamed, SimWorld, type Home, type Trouble } from "./sim-world.ts";

export type Simulated = {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly run: Run | undefined;
  readonly world: SimWorld;
  readonly notifications: readonly Notification[];
  readonly lives: number;
  readonly records: readonly JournalRecord[];
  readonly problems: readonly string[];
};

const LONGEST_MS = 15 * 60_000;
/** A run that keeps halting is resumed this often by its operator. */
const MOST_LIVES = 12;

/** One run in a simulated world, from its start to its end, through every death of its conductor. Same seed, same trace. */
export async function simulate(
  seed: number,
  home: Home = "kept",
  more: { readonly trouble?: Partial<Trouble>; readonly longestMs?: number } = {},
): Promise<Simulated> {
  const luck = luckOf(seed);
  const drawn = draw(luck, home);
  const scenario: Scenario = { ...drawn, trouble: { ...drawn.trouble, ...more.trouble } };
  const { longestMs = LONGEST_MS } = more;
  const clock = new SimClock();
  const checks = new Checks(scenario, clock);
  const world = new SimWorld(clock, luck, scenario.trouble, checks, home);
  checks.watch(world);
  const notifications: Notification[] = [];
  const disk: JournalRecord[] = [];
  const deaths = [...scenario.kills];
  const startedAt = clock.now();
  let lives = 0;
  let run: Run | undefined;
  let isDead = false;
  while (lives < MOST_LIVES && clock.now() - startedAt < longestMs) {
    lives += 1;
    const life = new Life({
      seed,
      clock,
      world,
      disk,
      epoch: lives,
      scenario,
      checks,
      notifications,
      dieAt: deaths.shift(),
    });
    const end = await life.live();
    run = disk.length === 0 ? undefined : replay(disk);
    isDead = end === "died";
    if (isDead) continue;
    if (end === "stuck") checks.complain(`life ${lives} of the conductor got stuck in ${run?.phase.kind ?? "nothing"}`);
    if (run === undefined || end === "stuck" || run.phase.kind === "ended") break;
    // An operator resumes a halted run after a while; whoever changed the world has put it back by then.
    world.removeStrangers();
    if (scenario.ask?.what === "halt" && lives > 3) break;
  }
  checks.atEnd(run, lives, notifications);
  if (!isDead) checks.toldEverything(disk, notifications);
  return { seed, scenario, run, world, notifications, lives, records: disk, problems: checks.problems };
}

type LifeOf = {
  readonly seed: number;
  readonly clock: SimClock;
  readonly world: SimWorld;
  readonly disk: JournalRecord[];
  readonly epoch: number;
  readonly scenario: Scenario;
  readonly checks: Checks;
  readonly notifications: Notification[];
  /** Number of appends after which it dies; the record is on disk or not, by luck of the parity. */
  readonly dieAt: number | undefined;
};

/** One conductor process. When it dies, none of its calls is ever answered; what it had sent may still arrive. */
class Life {
  private readonly of: LifeOf;
  private appends = 0;
  private isDead = false;

  constructor(of: LifeOf) {
    this.of = of;
  }

  async live(): Promise<"over" | "died" | "stuck"> {
    const { clock, scenario, disk, epoch } = this.of;
    const opened = {
      kind: "opened" as const,
      run: "sim-1",
      graph: scenario.graph,
      planFingerprint: "p",
      graphFingerprint: "g",
      version: "sim",
      epoch,
    };
    const started = { kind: "conductor-started" as const, epoch, host: "sim", pid: epoch, version: "sim" };
    const conducted: Conduct = conduct(
      this.worldPorts(),
      this.custody(),
      disk.length === 0 ? { kind: "new", opened } : { kind: "revived", run: replay(disk), started },
    );
    let outcome: "over" | "failed" | undefined;
    let failure: unknown;
    conducted.finished.then(
      () => (outcome = "over"),
      (error: unknown) => {
        outcome = "failed";
        failure = error;
      },
    );
    if (scenario.ask !== undefined && epoch === 1)
      clock.at(scenario.ask.atMs, () => conducted.ask(scenario.ask?.what ?? "halt", "operator"));
    for (let turn = 0; turn < 60_000; turn += 1) {
      // Every promise that can resolve has resolved before the clock moves.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.isDead) return "died";
      if (outcome === "over") return "over";
      if (outcome === "failed") {
        this.of.checks.complain(
          `the conductor failed: ${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}`,
        );
        return "over";
      }
      if (!clock.step()) return "stuck";
    }
    return "stuck";
  }

  private worldPorts(): World {
    const { world, clock, scenario } = this.of;
    const isDead = () => this.isDead;
    return {
      workloads: { gateway: { workload: world.workload(isDead), traffic: world.traffic(isDead) } },
      metadata: {
        db: {
          store: world.metadata(isDead),
          migrations: [migrationNamed("0001_expand", "expand"), migrationNamed("0002_contract", "contract")],
        },
      },
      watcher: world.watcher(isDead),
      watch: { guard: scenario.graph.guard, regions: [], orderPrefix: "sim" },
      runner: world.runner(isDead),
      programs: { cwd: "/", env: {} },
      notifiers: [
        {
          name: "pager",
          on: ["tripped", "stranded", "unknown", "ended", "held", "approval"],
          notify: (notification) => {
            if (!this.isDead) this.of.notifications.push(notification);
            return Promise.resolve();
          },
        },
      ],
      clock: clock.portFor(isDead),
    };
  }

  private custody() {
    const store = { putFile: () => Promise.resolve("") } as unknown as RunStore;
    return {
      store,
      journal: this.journal(),
      lease: { epoch: this.of.epoch, lost: new AbortController().signal, release: () => Promise.resolve() },
    };
  }

  /** Dies before or after a record is durable, as the luck of the life has it. */
  private journal(): Journal {
    const { disk, checks, dieAt, seed } = this.of;
    const append = (body: JournalBody): Promise<JournalRecord> => {
      if (this.isDead) return new Promise(() => {});
      this.appends += 1;
      const isLast = dieAt === this.appends;
      const isLostRecord = isLast && (seed + this.appends) % 2 === 0;
      if (isLast) this.isDead = true;
      if (isLostRecord) return new Promise(() => {});
      const record: JournalRecord = { ...(JSON.parse(JSON.stringify(body)) as JournalBody), seq: disk.length + 1 };
      disk.push(record);
      checks.recorded(entryOf(record), disk.length);
      return isLast ? new Promise(() => {}) : Promise.resolve(record);
    };
    return { append, records: disk, close: () => Promise.resolve() };
  }
}
