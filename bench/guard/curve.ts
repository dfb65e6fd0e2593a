import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";

/** How long a rule takes to see a failure rate, on a release that has that share of the traffic. */
export type Point = {
  readonly rule: string;
  readonly perSec: number;
  readonly share: number;
  readonly rate: number;
  /** NaN: it said nothing. */
  readonly median: number;
  readonly p95: number;
  readonly failed: number;
};

export const csvOf = (points: readonly Point[]): string =>
  [
    "rule,traffic_per_s,share_of_release,failure_rate,median_s,p95_s,median_failed_operations",
    ...points.map(({ rule, perSec, share, rate, median, p95, failed }) =>
      [
        `"${rule}"`,
        perSec,
        share,
        rate,
        ...[median, p95].map((seconds) => Number(seconds.toPrecision(5))),
        failed,
      ].join(","),
    ),
    "",
  ].join("\n");

/** Delay against failure rate, both on logarithmic scales, one panel for each share. */
export const svgOf = (points: readonly Point[]): string => {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const drawn = points
    .filter(({ median }) => Number.isFinite(median))
    .map((point) => ({ ...point, panel: `${point.share * 100} % of ${point.perSec}/s` }));
  const rules = [...new Set(drawn.map(({ rule }) => rule))];
  const svg = Plot.plot({
    document,
    width: 1_200,
    height: 570,
    marginLeft: 56,
    marginBottom: 100,
    x: {
      type: "log",
      label: "failure rate of the new release",
      grid: true,
      tickFormat: (rate: number) => `${rate * 100} %`,
      ticks: TICKS,
    },
    y: { type: "log", label: "median seconds until the alarm", grid: true },
    fx: { label: null, domain: [...new Set(drawn.map(({ panel }) => panel))] },
    color: { domain: rules, range: COLOURS },
    style: { background: "white", fontSize: "11px" },
    marks: [
      Plot.frame({ stroke: "#ccc" }),
      Plot.line(drawn, { x: "rate", y: "median", fx: "panel", stroke: "rule", strokeWidth: 1.8 }),
      Plot.dot(drawn, { x: "rate", y: "median", fx: "panel", fill: "rule", r: 2 }),
      // The legend, in two rows below the panels.
      ...rules.map((rule, index) =>
        Plot.text([{ rule, panel: drawn[0]?.panel }], {
          fx: "panel",
          text: "rule",
          fill: "rule",
          frameAnchor: "bottom-left",
          textAnchor: "start",
          dx: (index % 4) * 290,
          dy: 66 + 18 * Math.floor(index / 4),
          fontWeight: "bold",
        }),
      ),
    ],
  });
  svg.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${svg.outerHTML}\n`;
};
const COLOURS = ["#111111", "#1f77b4", "#17a2b8", "#2a7f62", "#7fb800", "#9467bd", "#e08a00", "#b3261e", "#8c564b"];
const TICKS = [0.003, 0.01, 0.03, 0.1, 0.3, 1];
