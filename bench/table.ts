import type { Figure, Table } from "./bench.ts";

/** A Markdown table whose columns line up: readable as text, and good for a README. */
export function tableText({ title, head, rows }: Table): string {
  const widths = head.map((cell, column) => Math.max(3, cell.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [title, "", line(head), rule, ...rows.map(line)].join("\n");
}

export const figuresTable = (title: string, figures: readonly Figure[]): Table => ({
  title,
  head: ["figure", "measured", "goal", ""],
  rows: figures.map(({ figure, measured, goal, ok }) => [
    figure,
    measured,
    goal,
    ok === undefined ? "" : ok ? "reached" : "MISSED",
  ]),
});

export const isMissed = ({ ok }: Figure): boolean => ok === false;
