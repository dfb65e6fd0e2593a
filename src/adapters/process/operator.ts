import type { ProcessComponent } from "../../plan/model.ts";
import { ask, jsonOf } from "./http.ts";

const TIMEOUT_MS = 1_000;

/** How an instance itself is spoken to. None of these rejects but for an abort: an instance that does not answer is a fact. */
export type Operator = {
  /** Answers its ready check, and is not somebody else who took the port. */
  isReady(instance: Place, signal: AbortSignal): Promise<boolean>;
  drain(instance: Place, noticeMs: number, signal: AbortSignal): Promise<boolean>;
  undrain(instance: Place, signal: AbortSignal): Promise<boolean>;
  /** Nothing in flight, and no socket open. Undefined when it does not say. */
  isDrained(instance: Place, signal: AbortSignal): Promise<boolean | undefined>;
};

type Place = { readonly id: string; readonly port: number };

export const operatorOf = (config: Pick<ProcessComponent, "ready" | "drain" | "undrain" | "drained">): Operator => {
  const call = async (
    place: Place,
    path: string,
    signal: AbortSignal,
    body?: unknown,
  ): Promise<{ readonly status: number; readonly value: unknown }> => {
    try {
      const { status, text } = await ask(
        `http://127.0.0.1:${place.port}${path}`,
        { timeoutMs: TIMEOUT_MS, ...(body === undefined ? {} : { method: "POST", body }) },
        signal,
      );
      return { status, value: jsonOf(text) };
    } catch {
      signal.throwIfAborted();
      return { status: 0, value: undefined };
    }
  };
  return {
    async isReady(place, signal) {
      const { status, value } = await call(place, config.ready, signal);
      const stated = fieldOf(value, "instance");
      return status === 200 && (typeof stated !== "string" || stated === place.id);
    },
    drain: async (place, noticeMs, signal) => isOk((await call(place, config.drain, signal, { noticeMs })).status),
    undrain: async (place, signal) => isOk((await call(place, config.undrain, signal, {})).status),
    async isDrained(place, signal) {
      const { status, value } = await call(place, config.drained, signal);
      const [inflight, sockets] = [fieldOf(value, "inflight"), fieldOf(value, "sockets")];
      return isOk(status) && typeof inflight === "number" && typeof sockets === "number"
        ? inflight === 0 && sockets === 0
        : undefined;
    },
  };
};

const isOk = (status: number): boolean => status >= 200 && status <= 299;

const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
