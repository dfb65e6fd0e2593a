import type { Migration } from "../../plan/model.ts";
import type { Answer, Asking, Clone, ListedQuery, Part, Samples, TracedStatement } from "../../ports/trials.ts";
import { judgeAnswers, judgeFirst } from "./judge-answers.ts";
import type { Breakage, Surroundings } from "./judge-answers.ts";
import type { ListedRelease } from "./order.ts";
import { RULES } from "./rules.ts";
import type { AskedState, TrialFinding } from "./result.ts";
import type { Live, Rollout, RolloutStep } from "./rollout.ts";

/** The state that is asked about. */
export type State = {
  /** In `rollout.live`. */
  readonly index: number;
  readonly step: RolloutStep;
  readonly direction: Part;
  readonly around: Surroundings;
  readonly file: string;
};

/** What a release got when it was first asked: what it has to get ever after. */
type First = { readonly samples: Samples; readonly answers: readonly Answer[] };

/** A clone as it was before a step, to find the statement of it that is at fault. */
type Another = { readonly clone: () => Promise<Clone>; readonly migration: Migration };

const NOTHING_AROUND: Surroundings = { renames: false, secured: false, newColumns: [], changesEnum: false };

/** The releases that use the store, asked in every state in which they are served. */
export class Panel {
  readonly asked: AskedState[] = [];
  readonly findings: TrialFinding[] = [];
  private readonly releases: readonly ListedRelease[];
  private readonly rollout: Rollout;
  private readonly first = new Map<ListedRelease, First>();
  private readonly known = new Set<string>();

  constructor(releases: readonly ListedRelease[], rollout: Rollout) {
    this.releases = releases;
    this.rollout = rollout;
  }

  /** Before the first migration. */
  async start(clone: Clone, signal: AbortSignal): Promise<void> {
    for (const release of this.servedIn(0)) await this.askFirst(clone, release, undefined, signal, undefined);
  }

  /** `another`: a clone as it was before the step, on which the step's statements are run one by one to find the one at fault. */
  async ask(clone: Clone, state: State, signal: AbortSignal, another: Another | undefined): Promise<void> {
    for (const release of this.servedIn(state.index)) {
      const first = this.first.get(release);
      if (first === undefined) await this.askFirst(clone, release, state, signal, another);
      else await this.askAgain(clone, { release, first }, state, signal, another);
    }
  }

  /** Who calls while the metadata goes from one state to another, with what they are known to get: whoever is served in both. */
  callers(from: number, to: number): readonly (Asking & { readonly release: string })[] {
    const there = this.servedIn(to);
    return this.servedIn(from).flatMap((release) => {
      if (!there.includes(release)) return [];
      const first = this.first.get(release);
      if (first === undefined) return [];
      const sound = release.queries.filter(({ name }) => isSound(first.answers, name));
      return sound.length === 0
        ? []
        : [{ ...askingOf({ ...release, queries: sound }, first.samples), release: release.release }];
    });
  }

  private async askAgain(
    clone: Clone,
    { release, first }: { readonly release: ListedRelease; readonly first: First },
    state: State,
    signal: AbortSignal,
    another: Another | undefined,
  ): Promise<void> {
    const answers = await clone.ask(askingOf(release, first.samples), signal);
    const broken = judgeAnswers(first.answers, answers, state.around);
    this.note(release, first, broken, state);
    await this.addFresh({ release, first }, broken, state, signal, another);
  }

  /** What an older release of the component has sent before, word for word, has to be answered as it was then. */
  private async askFirst(
    clone: Clone,
    release: ListedRelease,
    state: State | undefined,
    signal: AbortSignal,
    another: Another | undefined,
  ): Promise<void> {
    const known = this.answeredBefore(release);
    const fresh = release.queries.filter(({ name }) => known.samples[name] === undefined);
    const samples = { ...(await clone.sample(fresh, signal)), ...known.samples };
    const answers = await clone.ask(askingOf(release, samples), signal);
    const first: First = {
      samples,
      answers: answers.map((one) => known.answers.find(({ query }) => query === one.query) ?? one),
    };
    this.first.set(release, first);
    const around = state?.around ?? NOTHING_AROUND;
    const unproved = judgeFirst(fresh, answers, around);
    const broken = judgeAnswers(known.answers, answers, around);
    this.note(release, first, [...unproved, ...broken], state);
    for (const one of unproved) this.add(release, one, state, undefined);
    if (state !== undefined) await this.addFresh({ release, first }, broken, state, signal, another);
  }

  private answeredBefore(release: ListedRelease): First {
    const samples: Record<string, Samples[string]> = {};
    const answers: Answer[] = [];
    for (const [other, first] of this.first) {
      if (other.component !== release.component) continue;
      for (const query of release.queries) {
        const same = other.queries.some((one) => isSame(one, query));
        const [sample, answer] = [first.samples[query.name], first.answers.find((one) => one.query === query.name)];
        if (!same || sample === undefined || answer === undefined || samples[query.name] !== undefined) continue;
        samples[query.name] = sample;
        answers.push(answer);
      }
    }
    return { samples, answers };
  }

  private async addFresh(
    { release, first }: { readonly release: ListedRelease; readonly first: First },
    broken: readonly Breakage[],
    state: State,
    signal: AbortSignal,
    another: Another | undefined,
  ): Promise<void> {
    const fresh = broken.filter(({ key }) => !this.known.has(`${release.release} ${key}`));
    const suspect = { release, first, fresh, around: state.around };
    const blamed = another === undefined ? new Map() : await blame(another, suspect, signal);
    for (const one of fresh) this.add(release, one, state, blamed.get(one.key));
  }

  private note(
    release: ListedRelease,
    { samples }: First,
    broken: readonly Breakage[],
    state: State | undefined,
  ): void {
    this.asked.push({
      ...(state === undefined ? {} : { after: state.step.migration }),
      direction: state?.direction ?? "up",
      component: release.component,
      release: release.release,
      statements: release.queries.length,
      samples: release.queries.reduce((sum, { name }) => sum + (samples[name]?.length ?? 0), 0),
      broken: new Set(broken.map(({ query }) => query)).size,
    });
  }

  private add(
    release: ListedRelease,
    broken: Breakage,
    state: State | undefined,
    statement: TracedStatement | undefined,
  ): void {
    this.known.add(`${release.release} ${broken.key}`);
    const whom = broken.cohorts.length === 0 ? "" : ` for ${shown(broken.cohorts)}`;
    const when =
      state === undefined ? "before the first migration" : `after ${state.step.migration} ${state.direction}`;
    this.findings.push({
      rule: broken.rule,
      // A warning about what may break is no warning once it has.
      severity: broken.rule === "trigger-on-hot-table" ? "block" : RULES[broken.rule].severity,
      ...(state === undefined ? {} : { migration: state.step.migration }),
      file: statement?.file ?? state?.file ?? "statements.json",
      line: statement?.line ?? 0,
      statement: statement?.number ?? 0,
      message: `${when} the statement "${broken.query}" of ${release.release} breaks${whom}: ${broken.message}`,
      hint: RULES[broken.rule].hint,
      broken: {
        component: release.component,
        release: release.release,
        statement: broken.query,
        cohorts: broken.cohorts,
        ...(broken.column === undefined ? {} : { column: broken.column }),
      },
    });
  }

  private servedIn(index: number): readonly ListedRelease[] {
    const live: readonly Live[] = this.rollout.live[index] ?? [];
    return this.releases.filter((one) =>
      live.some(({ component, side }) => component === one.component && side === one.side),
    );
  }
}

const askingOf = ({ component, queries }: ListedRelease, samples: Samples): Asking => ({ component, queries, samples });

const isSame = (a: ListedQuery, b: ListedQuery): boolean =>
  a.name === b.name && a.sql === b.sql && a.params === b.params && a.after?.join() === b.after?.join();

const isSound = (answers: readonly Answer[], name: string): boolean => {
  const outcomes = answers.find(({ query }) => query === name)?.outcomes ?? [];
  return outcomes.length > 0 && outcomes.every((one) => one.kind === "answered");
};

const MOST_COHORTS = 12;
const shown = (cohorts: readonly string[]): string =>
  cohorts.length <= MOST_COHORTS
    ? cohorts.join(", ")
    : `${cohorts.slice(0, MOST_COHORTS).join(", ")} and ${cohorts.length - MOST_COHORTS} more`;

/** The statement of the migration after which each breakage is there, by key. */
async function blame(
  another: Another,
  suspect: {
    readonly release: ListedRelease;
    readonly first: First;
    readonly fresh: readonly Breakage[];
    readonly around: Surroundings;
  },
  signal: AbortSignal,
): Promise<ReadonlyMap<string, TracedStatement>> {
  const blamed = new Map<string, TracedStatement>();
  if (suspect.fresh.length === 0) return blamed;
  const clone = await another.clone();
  const queries = withEarlier(
    suspect.release.queries,
    suspect.fresh.map(({ query }) => query),
  );
  await clone.runApart(
    another.migration,
    async (statement) => {
      const asking = askingOf({ ...suspect.release, queries }, suspect.first.samples);
      const broken = judgeAnswers(suspect.first.answers, await clone.ask(asking, signal), suspect.around);
      for (const { query } of broken)
        for (const one of suspect.fresh)
          if (one.query === query && !blamed.has(one.key)) blamed.set(one.key, statement);
      return blamed.size === suspect.fresh.length ? "enough" : "go-on";
    },
    signal,
  );
  await clone.drop();
  return blamed;
}

/** A statement is asked together with those that make its rows. */
const withEarlier = (queries: readonly ListedQuery[], names: readonly string[]): readonly ListedQuery[] => {
  const wanted = new Set(names);
  for (const { name, after = [] } of queries) if (wanted.has(name)) for (const one of after) wanted.add(one);
  return queries.filter(({ name }) => wanted.has(name));
};
