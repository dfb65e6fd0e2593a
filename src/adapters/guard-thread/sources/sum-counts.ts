import type { Count } from "../../../guard/count.ts";
import type { Delta } from "../counters.ts";

/** Whose operations they are. `isExposed` false: of an instance that users do not reach. */
export type Place = Pick<Count, "region" | "release" | "side"> & { readonly isExposed?: boolean };

export type PlacedDelta = Delta & { readonly place: Place };

type Sum = {
  issued: number;
  failed: number;
  asked: number;
  refused: number;
  lost: number;
  codes: Record<string, number>;
};

/** Differences of counters, as counts of users' operations by place, operation and cohort. */
export const sumCounts = (deltas: readonly PlacedDelta[]): readonly Count[] => {
  const counts = new Map<string, Sum & { readonly delta: PlacedDelta }>();
  for (const delta of deltas) {
    if (delta.count === 0 || (delta.outcome === "none" && delta.refusal === "none")) continue;
    const key = keyOf(delta);
    const count = counts.get(key) ?? { issued: 0, failed: 0, asked: 0, refused: 0, lost: 0, codes: {}, delta };
    count.asked += delta.count;
    if (delta.refusal !== "none") count.refused += delta.count;
    if (delta.refusal === "lost") count.lost += delta.count;
    if (delta.outcome !== "none") count.issued += delta.count;
    if (delta.outcome === "failed") {
      count.failed += delta.count;
      count.codes[delta.code] = (count.codes[delta.code] ?? 0) + delta.count;
    }
    counts.set(key, count);
  }
  return [...counts.values()].map(({ delta, ...count }) => ({
    ...count,
    ...delta.place,
    operation: delta.operation,
    cohort: delta.cohort,
    source: "live",
  }));
};

const keyOf = ({ operation, cohort, place }: PlacedDelta): string =>
  [operation, cohort, place.region, place.release, place.side, place.isExposed].join(" ");
