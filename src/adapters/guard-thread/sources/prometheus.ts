import type { WatchedSource } from "../../../ports/watcher.ts";
import { seriesByStatus, seriesFrom, type CountedBy, type Series } from "../counters.ts";
import { startDifferences, type Difference } from "./differences.ts";
import { startForgiving, type Attributed } from "./forgiving.ts";
import type { LiveSink, LiveSource, SourceClock } from "./live-source.ts";
import { readClock, readSamples, type Labels, type SampledSeries } from "./prometheus-answer.ts";
import { prometheusServer } from "./prometheus-server.ts";
import { startSight } from "./sight-told.ts";
import { sumCounts } from "./sum-counts.ts";
import { unseenIn } from "./unseen.ts";
import { startWhereabouts } from "./whereabouts.ts";

export type PrometheusOptions = Extract<WatchedSource, { kind: "prometheus" }> & CountedBy & SourceClock & LiveSink;

/** An answer may miss its time once. Without a good one for longer than this, and than the time between two, nothing is seen. */
const PATIENCE_MS = 2_000;
const MOST_PATIENCE_MS = 10_000;
const STALL_MS = 500;
/** Asked again soon after a failure, however seldom otherwise. */
const SOON_MS = 1_000;
const LEAST_DEADLINE_MS = 2_000;
const MOST_DEADLINE_MS = 10_000;

/**
 * Asks a Prometheus server for the raw samples of a cumulative counter, again and again, and counts what is between them. Each sample has its
 * own time: one that was seen before is no news, and one that is too old is none either.
 */
export const startPrometheus = (options: PrometheusOptions): LiveSource => {
  const { now, everyMs, regions, staleAfterMs } = options;
  const deadlineMs = Math.min(MOST_DEADLINE_MS, Math.max(LEAST_DEADLINE_MS, everyMs));
  const server = prometheusServer({ ...options, deadlineMs });
  const name = `Prometheus at ${server.name}`;
  const targetOf = targetBy(options);
  const differences = startDifferences({ targetOf, mostApartMs: staleAfterMs });
  const whereabouts = startWhereabouts({ regions, targetOf, saidOf: saidBy(options) });
  const forgiving = startForgiving(now);
  const sight = startSight(options, `${name} has told nothing yet`);
  let goodAt = -Infinity;
  /** Time of the newest sample by the server's clock, and by ours. */
  let last: { readonly at: number; readonly ownAt: number } | undefined;
  let unplaced: { readonly at: number; readonly labels: Labels } | undefined;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;

  /** Undefined when the server has told what it has; otherwise why not. */
  const look = async (): Promise<string | undefined> => {
    const askedAt = now();
    const told = await server.ask("time()");
    const clock = typeof told === "string" ? told : readClock(told);
    if (typeof clock === "string") return clock;
    const answered = await server.ask(options.query);
    const answer = typeof answered === "string" ? answered : readSamples(answered);
    if (typeof answer === "string") return answer;
    if (!isStopped) take(answer, clock, askedAt);
    return undefined;
  };

  const take = (answer: readonly SampledSeries[], clock: number, askedAt: number): void => {
    // As old as it can be: what was issued before a change must never look as if it came after.
    const ownAt = (at: number): number => Math.min(now(), askedAt - (clock - at));
    const fresh = youngerThan(answer, clock - staleAfterMs);
    const missed = whereabouts.note(fresh.map(({ labels }) => labels));
    const found = differences.note(fresh, ownAt).filter(({ count }) => count > 0);
    const lost = found.find(({ labels }) => whereabouts.placeOf(labels).kind === "nowhere");
    if (lost !== undefined) unplaced = { at: clock, labels: lost.labels };
    else if (unplaced !== undefined && clock - unplaced.at > staleAfterMs) unplaced = undefined;
    const series = answer.map(({ labels, samples }) => ({
      placed: whereabouts.placeOf(labels),
      at: samples.at(-1)?.at ?? -Infinity,
    }));
    sight.tell(unseenIn({ ...options, name, clock, series, missed, unplaced: unplaced?.labels }));
    tellBin(found, newestOf(fresh), ownAt);
  };

  const tellBin = (found: readonly Difference[], newest: number | undefined, ownAt: (at: number) => number): void => {
    if (newest === undefined || (last !== undefined && newest <= last.at)) return;
    const before = last?.ownAt;
    const at = Math.max(ownAt(newest), before === undefined ? -Infinity : before + 1);
    last = { at: newest, ownAt: at };
    if (before === undefined) return;
    const from = found.reduce((earliest, difference) => Math.min(earliest, difference.from), Infinity);
    const counts = sumCounts(forgiving.settle(found.flatMap((difference) => attributed(difference))));
    options.onBin({ kind: "bin", at, ms: at - before, ...(from < before ? { from } : {}), counts });
  };

  const attributed = ({ labels, count }: Difference): readonly Attributed[] => {
    const series = seriesBy(labels, options);
    const placed = whereabouts.placeOf(labels);
    if (series === undefined || placed.kind !== "here") return [];
    if (series.unlisted !== undefined) options.onUnlisted(series.unlisted, count);
    const { place, instance } = placed;
    return [{ ...series, count, place, ...(instance === undefined ? {} : { instance }) }];
  };

  const round = async (): Promise<void> => {
    const from = performance.now();
    const why = await look();
    if (isStopped) return;
    if (why === undefined) goodAt = now();
    else if (isOver(now() - goodAt - everyMs, options.lagSince(from))) sight.tell({ regions, why: `${name} ${why}` });
    const next = why === undefined ? everyMs : Math.min(everyMs, SOON_MS);
    timer = setTimeout(() => void round(), Math.max(0, next - (performance.now() - from)));
  };

  void round();
  return {
    instances: (instances) => whereabouts.instances(instances),
    forgive(id, operation, code) {
      const instance = whereabouts.instance(id);
      if (instance !== undefined && options.countsProbes) forgiving.forgive(instance, operation, code);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await server.close();
    },
  };
};

/** Whether patience has ended. A deadline that passed while this thread was held up says nothing about the server, but not for ever. */
const isOver = (blindForMs: number, stalledMs: number): boolean =>
  blindForMs > (stalledMs > STALL_MS ? MOST_PATIENCE_MS : PATIENCE_MS);

type Reading = CountedBy & Pick<PrometheusOptions, "labels" | "hasCodes">;

/** What is scraped together. Where no instance is named, all that does not tell one operation from another. */
const targetBy =
  ({ labels }: Reading) =>
  (of: Labels): string => {
    const instance = of[labels.instance];
    if (instance !== undefined) return `${of["job"] ?? ""} ${instance}`;
    const varying = new Set(["__name__", labels.operation, labels.code, labels.http, labels.cohort]);
    return JSON.stringify(Object.entries(of).filter(([label]) => !varying.has(label)));
  };

const seriesBy = (of: Labels, { labels, hasCodes, ...by }: Reading): Series | undefined => {
  const said = { operation: of[labels.operation], http: of[labels.http], cohort: of[labels.cohort] };
  return hasCodes ? seriesFrom({ ...said, code: of[labels.code] }, by) : seriesByStatus(said, by);
};

const saidBy =
  ({ labels }: Reading) =>
  (of: Labels) => ({
    region: of[labels.region],
    release: of[labels.release],
    instance: of[labels.instance],
  });

/** What is too old is no news, even if it was not seen before. */
const youngerThan = (answer: readonly SampledSeries[], limit: number): readonly SampledSeries[] =>
  answer
    .map((series) =>
      (series.samples[0]?.at ?? limit) >= limit
        ? series
        : { ...series, samples: series.samples.filter(({ at }) => at >= limit) },
    )
    .filter(({ samples }) => samples.length > 0);

const newestOf = (answer: readonly SampledSeries[]): number | undefined => {
  let newest: number | undefined;
  for (const { samples } of answer) {
    const at = samples.at(-1)?.at;
    if (at !== undefined && (newest === undefined || at > newest)) newest = at;
  }
  return newest;
};
