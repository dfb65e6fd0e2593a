import type { EngineEvent, EngineReply, EngineRequest } from "../engine/protocol.ts";
import { isFields } from "../fields.ts";
import { NOT_ACTIVE } from "../engine/protocol.ts";

type WithoutRid<T> = T extends unknown ? Omit<T, "rid"> : never;

/** A request without its number: the link numbers it. */
export type EngineAsk = WithoutRid<EngineRequest>;

/** The way to the active matching engine, whichever of the two that is. */
export type EngineLink = {
  /** Rejects when there is no reply in time; an error with `sent: false` says that the engine never saw the request. */
  request(ask: EngineAsk, how: { readonly timeoutMs: number; readonly signal?: AbortSignal }): Promise<EngineReply>;
  /** Streams the events of all users, across takeovers. */
  follow(listener: (event: EngineEvent) => void): unknown;
  close(): unknown;
};

/** How long a reply of the engine may take, in ms. A takeover by the standby fits into it. */
const ENGINE_DEADLINE_MS = 1_000;

/** `not-sent`: for certain not processed. `unknown`: nobody can say. */
export type Asked =
  | { readonly kind: "reply"; readonly reply: EngineReply }
  | { readonly kind: "not-sent" }
  | { readonly kind: "unknown" };

/** Asks the engine. Never rejects. */
export const askEngine = async (engine: EngineLink, ask: EngineAsk, timeoutMs = ENGINE_DEADLINE_MS): Promise<Asked> => {
  try {
    const reply = await engine.request(ask, { timeoutMs });
    return reply.code === NOT_ACTIVE ? { kind: "not-sent" } : { kind: "reply", reply };
  } catch (error) {
    return { kind: wasSent(error) ? "unknown" : "not-sent" };
  }
};

// An error that does not say so was sent: claiming "not processed" wrongly would double an order.
const wasSent = (error: unknown): boolean => !(isFields(error) && error["sent"] === false);
