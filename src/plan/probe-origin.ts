import type { ProbeTarget } from "./model.ts";

/** Public address that probes of a region call. */
export const originOf = (probe: ProbeTarget): string => new URL(probe.kind === "okx" ? probe.rest : probe.url).origin;
