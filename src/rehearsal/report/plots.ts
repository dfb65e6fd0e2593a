import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { Drill, MeasuredStatement } from "../drill.ts";

export type Bar = { readonly name: string; readonly ms: number; readonly outcome: Drill["outcome"] };

const WIDTH = 960;
const ROW = 34;

/** Bars with their names and seconds. Names stand above their bars, so that long ones are read whole. */
export function durations(bars: readonly Bar[]): string {
  if (bars.length === 0) return "<p>Nothing was timed.</p>";
  const data = bars.map((bar, index) => ({ ...bar, seconds: bar.ms / 1000, row: `${index + 1}. ${bar.name}` }));
  return figure(
    data.map(({ row }) => row),
    {
      x: { label: "seconds", grid: true },
      color: { domain: ["passed", "failed", "skipped"], range: ["#2a7f62", "#b3261e", "#8a8a8a"] },
      marks: [
        Plot.barX(data, { x: "seconds", y: "row", fill: "outcome" }),
        Plot.text(data, {
          x: "seconds",
          y: "row",
          text: ({ seconds }: Seconds) => `${seconds.toFixed(1)} s`,
          ...BEHIND,
        }),
      ],
    },
  );
}

type Seconds = { readonly seconds: number };

/** From locks that only stop others who change the table to those that stop everybody. */
const LEVELS = [
  { level: "no lock on what stood before", color: "#8a8a8a", locks: [] },
  { level: "reads and writes go on", color: "#2a7f62", locks: ["AccessShareLock", "RowShareLock", "RowExclusiveLock"] },
  { level: "only other changes wait", color: "#3b6fb6", locks: ["ShareUpdateExclusiveLock"] },
  { level: "writes wait", color: "#c77700", locks: ["ShareLock", "ShareRowExclusiveLock", "ExclusiveLock"] },
  { level: "everybody waits", color: "#b3261e", locks: ["AccessExclusiveLock"] },
] as const;

const levelOf = (lock: string | undefined): string =>
  (LEVELS.find(({ locks }) => locks.some((one) => one === lock)) ?? LEVELS[0]).level;

/** How long each statement of the migrations held its strongest lock, by what that lock keeps others from. */
export function heldLocks(statements: readonly MeasuredStatement[]): string {
  const data = statements.map((one, index) => ({
    ...one,
    row: `${index + 1}. ${one.name}`,
    level: levelOf(one.lock),
    says: `${one.lock === undefined ? "no lock" : `${one.lock} on ${one.tables.join(", ")}`}, ${one.heldMs.toFixed(1)} ms`,
  }));
  return figure(
    data.map(({ row }) => row),
    {
      marginRight: 320,
      x: { label: "milliseconds", grid: true },
      color: { domain: LEVELS.map(({ level }) => level), range: LEVELS.map(({ color }) => color), legend: true },
      marks: [
        Plot.barX(data, { x: "heldMs", y: "row", fill: "level", fillOpacity: 0.45 }),
        Plot.barX(data, { x: "ms", y: "row", fill: "level" }),
        Plot.text(data, { x: "heldMs", y: "row", text: "says", ...BEHIND }),
      ],
    },
  );
}

const BEHIND = { textAnchor: "start", dx: 4, fontSize: 11 } as const;

function figure(rows: readonly string[], options: Plot.PlotOptions): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const svg = Plot.plot({
    document,
    width: WIDTH,
    height: 40 + rows.length * ROW,
    marginLeft: 16,
    marginRight: 60,
    ...options,
    y: { axis: null, domain: rows, padding: 0.55 },
    marks: [
      ...(options.marks ?? []),
      Plot.text(rows, {
        x: () => 0,
        y: (row: string) => row,
        text: (row: string) => row,
        textAnchor: "start",
        dy: -12,
        fontSize: 11,
      }),
    ],
  });
  return `<figure>${svg.outerHTML}</figure>`;
}
