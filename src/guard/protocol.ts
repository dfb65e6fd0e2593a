/** How operations reach the venue. One can be well while the other is not. */
export type Protocol = "REST" | "WebSocket";

const OVER_SOCKET = "/ws";

/** Whoever trades over WebSocket is a cohort of its own: `shard-3/ws` beside `shard-3`. */
export const cohortOver = (protocol: Protocol, cohort: string): string =>
  protocol === "WebSocket" ? `${cohort}${OVER_SOCKET}` : cohort;

export const protocolOf = (cohort: string): Protocol => (cohort.endsWith(OVER_SOCKET) ? "WebSocket" : "REST");

/** The accounts behind a cohort, whatever protocol they use. */
export const shardOf = (cohort: string): string =>
  cohort.endsWith(OVER_SOCKET) ? cohort.slice(0, -OVER_SOCKET.length) : cohort;
