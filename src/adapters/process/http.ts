/** Asks once and reads the whole answer. Rejects when there is none within `timeoutMs`; an abort rejects with its reason. */
export async function ask(url: string, how: Ask, signal: AbortSignal): Promise<Answer> {
  const limit = AbortSignal.timeout(how.timeoutMs);
  try {
    const response = await fetch(url, {
      method: how.method ?? "GET",
      redirect: "manual",
      signal: AbortSignal.any([signal, limit]),
      headers: { ...how.headers, ...(how.body === undefined ? {} : { "content-type": "application/json" }) },
      ...(how.body === undefined ? {} : { body: JSON.stringify(how.body) }),
    });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    signal.throwIfAborted();
    if (limit.aborted) throw new Error(`no answer within ${how.timeoutMs} ms`, { cause: error });
    throw new Error(reasonOf(error), { cause: error });
  }
}

export type Ask = {
  readonly method?: "GET" | "PUT" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly timeoutMs: number;
};
export type Answer = { readonly status: number; readonly text: string };

/** fetch says only "fetch failed"; why stands in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== ""
    ? error.cause.message
    : (codeIn(error.cause) ?? error.message);
}

const codeIn = (cause: unknown): string | undefined =>
  typeof cause === "object" && cause !== null && "code" in cause && typeof cause.code === "string"
    ? cause.code
    : undefined;

/** Parses JSON; undefined for anything else. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
