import type { Backend } from "./backend.ts";
import { createChoice } from "./choice.ts";
import type { BalancerState } from "./state.ts";

/** How busy a backend is now. */
export type Load = { inflight: number; sockets: number };

/** The backends as the proxies see them: who takes the next request, and how busy each is. */
export type Pool = {
  state(): BalancerState;
  /** Counts from the next request on. */
  replace(next: BalancerState): void;
  /** The backend for a request or a socket, without `except`. */
  choose(what: "request" | "socket", except?: string): Backend | undefined;
  load(id: string): Load;
  /** Counts one answered request. `status` is what the client saw. */
  count(backend: Backend | undefined, status: number): void;
  metrics(): string;
};

export const createPool = (initial: BalancerState): Pool => {
  let state = initial;
  const choices = { request: createChoice(), socket: createChoice() };
  const loads = new Map<string, Load>();
  const totals = new Map<string, number>();
  const load = (id: string): Load => {
    const known = loads.get(id) ?? { inflight: 0, sockets: 0 };
    loads.set(id, known);
    return known;
  };
  return {
    state: () => state,
    replace(next) {
      state = next;
      for (const [id, { inflight, sockets }] of loads) {
        if (inflight + sockets === 0 && !next.backends.some((each) => each.id === id)) loads.delete(id);
      }
    },
    choose: (what, except) =>
      choices[what](except === undefined ? state.backends : state.backends.filter(({ id }) => id !== except)),
    load,
    count(backend, status) {
      const labels = `backend="${backend?.id ?? ""}",release="${backend?.release ?? ""}",status="${status}"`;
      totals.set(labels, (totals.get(labels) ?? 0) + 1);
    },
    metrics: () =>
      [
        "# TYPE balancer_requests_total counter",
        ...[...totals].map(([labels, total]) => `balancer_requests_total{${labels}} ${total}`),
        "",
      ].join("\n"),
  };
};
