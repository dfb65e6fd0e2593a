import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { NotifyKind } from "../../plan/model.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Notifier } from "../../ports/notifier.ts";

/** Before the second and the third try. */
const PAUSES_MS = [1_000, 4_000];
const TIMEOUT_MS = 5_000;

/**
 * POSTs the notification as JSON. Any 2xx is a delivery; no answer, 5xx, 408 and 429 are tried again, at most three times in all.
 * The URL often is the secret: only its host is ever shown. Throws `SECRET_MALFORMED` when it is no URL.
 */
export const webhookNotifier = (options: {
  readonly url: string;
  readonly on: readonly NotifyKind[];
  readonly clock: Clock;
  readonly timeoutMs?: number;
}): Notifier => {
  const url = urlOf(options.url);
  const name = `webhook ${url.host}`;
  const post = (body: string, signal: AbortSignal): Promise<Try> =>
    once(url, body, options.timeoutMs ?? TIMEOUT_MS, signal);
  return {
    name,
    on: options.on,
    async notify(notification, signal) {
      const body = JSON.stringify(notification);
      for (let turn = 0; ; turn += 1) {
        const { why, isHopeless } = await post(body, signal);
        if (why === undefined) return;
        const pauseMs = PAUSES_MS[turn];
        if (isHopeless || pauseMs === undefined)
          throw undelivered(name, `${why} (tried ${turn === 0 ? "once" : `${turn + 1} times`})`);
        await options.clock.sleep(pauseMs, signal);
      }
    },
  };
};

function urlOf(text: string): URL {
  if (URL.canParse(text) && /^https?:/.test(text)) return new URL(text);
  throw new UpgradeError("SECRET_MALFORMED", "the URL of a webhook is no http or https URL", {
    hint: "check the variable or file that it is read from",
  });
}

/** `why` undefined: delivered. */
type Try = { readonly why?: string; readonly isHopeless?: boolean };

async function once(url: URL, body: string, timeoutMs: number, signal: AbortSignal): Promise<Try> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, limit]),
    });
    await response.body?.cancel();
    if (response.ok) return {};
    return {
      why: `it answered ${response.status}`,
      isHopeless: response.status < 500 && response.status !== 408 && response.status !== 429,
    };
  } catch (error) {
    signal.throwIfAborted();
    return { why: limit.aborted ? `no answer within ${timeoutMs / 1000} s` : reasonOf(error) };
  }
}

/** A code or nothing: longer texts may quote the address. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code =
    typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
      ? cause.code
      : undefined;
  return code === undefined ? "it could not be reached" : `it could not be reached (${code})`;
}

const undelivered = (name: string, why: string): UpgradeError =>
  new UpgradeError("NOTIFICATION_UNDELIVERED", `${name}: ${why}`, {
    hint: "tell them yourself, and check the address",
  });
