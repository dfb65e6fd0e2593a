import type { RunEventOf } from "../events/event.ts";

type Pulse = Pick<RunEventOf<"pulse">, "operationsPerSec" | "failed" | "streams">;
/** Paints a word; the plain one returns it as it is. */
export type Paint = (style: "good" | "bad" | "warn" | "dim" | "bold", text: string) => string;
export const plain: Paint = (_, text) => text;

const MARKS = {
  healthy: ["good", "✓"],
  suspect: ["warn", "?"],
  failing: ["bad", "✗"],
  disturbed: ["warn", "!"],
  unknown: ["dim", "…"],
} as const;

/** `312 ops/s · 3 failed · tokyo order ✓ amend ✓ cancel ✓ · frankfurt order ✓ …`: the guard at a glance. */
export function statusLine(pulse: Pulse, paint: Paint = plain): string {
  const regions = [...new Set(pulse.streams.map((stream) => stream.region))].toSorted();
  const parts = regions.map((region) => `${region} ${regionMarks(pulse, region, paint)}`);
  return [`${Math.round(pulse.operationsPerSec)} ops/s`, `${pulse.failed} failed`, ...parts].join(" · ");
}

/** The worst word of any stream of an operation stands for it. */
function regionMarks(pulse: Pulse, region: string, paint: Paint): string {
  const order = ["failing", "suspect", "disturbed", "unknown", "healthy"] as const;
  const operations = [
    ...new Set(pulse.streams.filter((stream) => stream.region === region).map((stream) => stream.operation)),
  ];
  return operations
    .map((operation) => {
      const states = new Set(
        pulse.streams
          .filter((stream) => stream.region === region && stream.operation === operation)
          .map((stream) => stream.state),
      );
      const worst = order.find((state) => states.has(state)) ?? "unknown";
      const [style, mark] = MARKS[worst];
      return `${operation} ${paint(style, mark)}`;
    })
    .join(" ");
}
