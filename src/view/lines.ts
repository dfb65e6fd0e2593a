import type { RunEvent } from "../events/event.ts";

/** A line an event, in UTC, for logs and pipelines. Pulses are left out; they are for live views. */
export const lineOf = (event: RunEvent): string | undefined =>
  event.kind === "pulse" ? undefined : `${event.at} ${event.kind.padEnd(16)} ${event.message}`;
