import { messageOf } from "../../errors/message-of.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { fenceText, type Fence } from "../../ports/fence.ts";
import { fenced } from "./fence-claims.ts";
import { ask, jsonOf, type Answer, type Ask } from "./http.ts";

export type Backend = {
  readonly id: string;
  /** `127.0.0.1:7120` */
  readonly address: string;
  readonly release: string;
  /** 0 to 100. */
  readonly weight: number;
  readonly inflight: number;
  readonly sockets: number;
};

/** The admin API of one region's balancer. Every call rejects `BALANCER_UNREACHABLE`; writes reject `FENCED`. */
export type Balancer = {
  backends(signal: AbortSignal): Promise<readonly Backend[]>;
  /** The highest fence it has seen. */
  fence(signal: AbortSignal): Promise<Fence>;
  put(
    backend: Pick<Backend, "id" | "address" | "release" | "weight">,
    fence: Fence,
    signal: AbortSignal,
  ): Promise<void>;
  remove(id: string, fence: Fence, signal: AbortSignal): Promise<void>;
};

const TIMEOUT_MS = 2_000;

export const balancerAt = (admin: string, region: string): Balancer => {
  const origin = admin.replace(/\/+$/, "");
  const unreachable = (why: string, cause?: unknown): UpgradeError =>
    new UpgradeError("BALANCER_UNREACHABLE", `the balancer of ${region} at ${origin}: ${why}`, {
      hint: "check that it runs and that its admin address in the environment file is right",
      cause,
    });

  const call = async (path: string, how: Omit<Ask, "timeoutMs">, signal: AbortSignal): Promise<Answer> => {
    const once = () => ask(`${origin}${path}`, { ...how, timeoutMs: TIMEOUT_MS }, signal);
    try {
      // A connection that was kept and closed by the other side meanwhile; every call may be sent twice.
      return await once().catch((error: unknown) =>
        isBroken(error) && !signal.aborted ? once() : Promise.reject(error),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(messageOf(error), error);
    }
  };
  const look = async (signal: AbortSignal): Promise<View> => {
    const { status, text } = await call("/backends", {}, signal);
    const view = status === 200 ? viewOf(jsonOf(text)) : undefined;
    if (view === undefined) throw unreachable(`answered ${status} ${text.slice(0, 200)}`);
    return view;
  };
  const write = async (id: string, how: Omit<Ask, "timeoutMs">, fence: Fence, signal: AbortSignal): Promise<void> => {
    const { status, text } = await call(
      `/backends/${encodeURIComponent(id)}`,
      { ...how, headers: { "x-midflight-fence": fenceText(fence) } },
      signal,
    );
    if (status === 409) throw fenced(fence, highestIn(text), `the balancer of ${region}`);
    if (status < 200 || status > 299)
      throw unreachable(`answered ${status} ${text.slice(0, 200)} to ${how.method} of ${id}`);
  };
  return {
    backends: async (signal) => (await look(signal)).backends,
    fence: async (signal) => (await look(signal)).fence,
    put: ({ id, address, release, weight }, fence, signal) =>
      write(id, { method: "PUT", body: { address, release, weight } }, fence, signal),
    remove: (id, fence, signal) => write(id, { method: "DELETE" }, fence, signal),
  };
};

type View = { readonly fence: Fence; readonly backends: readonly Backend[] };

/** `undefined` when it is not what a balancer says. */
function viewOf(value: unknown): View | undefined {
  if (typeof value !== "object" || value === null || !("backends" in value) || !Array.isArray(value.backends))
    return undefined;
  const backends = value.backends as readonly Partial<Backend>[];
  if (
    !backends.every(
      (one) => typeof one.id === "string" && typeof one.address === "string" && typeof one.weight === "number",
    )
  )
    return undefined;
  const { epoch = 0, seq = 0 } = (("fence" in value ? value.fence : undefined) as Partial<Fence> | undefined) ?? {};
  return {
    fence: { epoch, seq },
    backends: backends.map((one) => ({ release: "?", inflight: 0, sockets: 0, ...one }) as Backend),
  };
}

function highestIn(text: string): string {
  const value = jsonOf(text);
  return typeof value === "object" && value !== null && "highest" in value ? String(value.highest) : "a higher one";
}

const isBroken = (error: unknown): boolean =>
  error instanceof Error && /other side closed|ECONNRESET|socket hang up|EPIPE/.test(error.message);
