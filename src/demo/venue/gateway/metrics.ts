import { httpOf } from "./codes.ts";
import type { OperationKind } from "./operations.ts";

export type Protocol = "rest" | "ws";

/** The gateway's own figures, in the Prometheus text format. */
export type Metrics = {
  /** One finished operation; every row of a batch counts. */
  count(operation: OperationKind, code: string, cohort: string, protocol: Protocol, seconds: number): void;
  text(): string;
};

const BUCKETS = [0.05, 0.1, 0.25, 0.5, 1] as const;

type Histogram = { readonly buckets: number[]; sum: number; count: number };

export const createMetrics = (who: {
  readonly release: string;
  readonly instance: string;
  readonly region: string;
}): Metrics => {
  const totals = new Map<string, number>();
  const seconds = new Map<OperationKind, Histogram>(
    (["order", "amend", "cancel"] as const).map((kind) => [kind, { buckets: BUCKETS.map(() => 0), sum: 0, count: 0 }]),
  );
  return {
    count(operation, code, cohort, protocol, took) {
      const labels = `operation="${operation}",code="${code}",http="${httpOf(code)}",cohort="${cohort}",protocol="${protocol}"`;
      totals.set(labels, (totals.get(labels) ?? 0) + 1);
      const histogram = seconds.get(operation);
      if (histogram !== undefined) observe(histogram, took);
    },
    text: () =>
      [
        "# HELP venue_operations_total Single order operations by outcome.",
        "# TYPE venue_operations_total counter",
        ...[...totals].map(([labels, count]) => `venue_operations_total{${labels}} ${count}`),
        "# HELP venue_operation_seconds Time from a request's arrival to its answer.",
        "# TYPE venue_operation_seconds histogram",
        ...[...seconds].flatMap(([kind, histogram]) => histogramLines(kind, histogram)),
        "# TYPE venue_release_info gauge",
        `venue_release_info{release="${who.release}",instance="${who.instance}",region="${who.region}"} 1`,
        "",
      ].join("\n"),
  };
};

const observe = (histogram: Histogram, took: number): void => {
  BUCKETS.forEach((le, index) => {
    if (took <= le) histogram.buckets[index] = (histogram.buckets[index] ?? 0) + 1;
  });
  histogram.sum += took;
  histogram.count += 1;
};

const histogramLines = (kind: OperationKind, histogram: Histogram): readonly string[] => [
  ...BUCKETS.map(
    (le, index) => `venue_operation_seconds_bucket{operation="${kind}",le="${le}"} ${histogram.buckets[index] ?? 0}`,
  ),
  `venue_operation_seconds_bucket{operation="${kind}",le="+Inf"} ${histogram.count}`,
  `venue_operation_seconds_sum{operation="${kind}"} ${histogram.sum.toFixed(6)}`,
  `venue_operation_seconds_count{operation="${kind}"} ${histogram.count}`,
];
