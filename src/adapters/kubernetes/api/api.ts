import { request as plainRequest, type IncomingMessage } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Clock } from "../../../ports/clock.ts";
import { ApiFailure, GROUPS, pluralOf, type Asked, type Resource, type Subresource, type Verb } from "./api-failure.ts";
import type { Admission, Connection } from "./connection.ts";
import { listReader } from "./list-reader.ts";
import type { Listed } from "./objects.ts";

/** The API of one cluster, in one namespace. Everything rejects with `ApiFailure`, or with the reason of an abort. */
export type Api = {
  readonly context: string;
  readonly namespace: string;
  /** Waits for as long as a throttling server says, a few times. */
  send<T>(ask: Ask, signal: AbortSignal): Promise<T>;
  /** The same for what is no JSON. */
  text(ask: Ask, signal: AbortSignal): Promise<string>;
  /** The same line by line, for as long as it comes. */
  lines(ask: Ask, signal: AbortSignal): AsyncGenerator<string>;
  /** A list, read object by object: of a long one no more is in memory than what is kept of each. */
  list<T>(ask: ListAsk<T>, signal: AbortSignal): Promise<Listed<T>>;
  /** What changes from a version on, until the server ends it. Rejects with status 410 when that version is too old. */
  watch<T>(ask: WatchAsk, signal: AbortSignal): AsyncGenerator<Change<T>>;
};

export type ListAsk<T> = Pick<Ask, "resource" | "query"> & { readonly kept: (item: T) => T };

/** `opened`: called once the server watches. `isBeside`: it keeps no process alive. */
export type WatchAsk = Pick<Ask, "resource" | "query"> & { readonly opened?: () => void; readonly isBeside?: boolean };

export type Ask = {
  readonly verb: Verb;
  readonly resource: Resource;
  readonly name?: string;
  /** A request at it that is refused as one too many is not sent again: whoever sends it knows what it waits for. */
  readonly subresource?: Subresource;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Within which it must begin to answer. Default: 10 s. */
  readonly limitMs?: number;
  /** It keeps no process alive. */
  readonly isBeside?: boolean;
};

export type Change<T> = { readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"; readonly object: T };

const TIMEOUT_MS = 10_000;
/** A watch without any news is opened anew. The server ends it itself a little earlier. */
const WATCH_S = 240;
const THROTTLED_TRIES = 5;
const LONGEST_PAUSE_MS = 10_000;

const METHODS: Readonly<Record<Verb, string>> = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  patch: "PATCH",
  delete: "DELETE",
};

const VERSIONS: Readonly<Record<Resource, string>> = {
  deployments: "v1",
  statefulsets: "v1",
  daemonsets: "v1",
  controllerrevisions: "v1",
  replicasets: "v1",
  pods: "v1",
  endpointslices: "v1",
  services: "v1",
  httproutes: "v1",
  events: "v1",
  horizontalpodautoscalers: "v2",
  poddisruptionbudgets: "v1",
  "events.events.k8s.io": "v1",
  selfsubjectaccessreviews: "v1",
  applications: "v1alpha1",
  helmreleases: "v2",
  configmaps: "v1",
  secrets: "v1",
  leases: "v1",
  jobs: "v1",
};

export const apiOf = (connection: Connection, clock: Clock): Api => {
  const { context, namespace } = connection;
  const askedBy = ({ verb, resource, name, subresource }: Ask): Asked => ({
    verb,
    resource,
    namespace,
    context,
    ...(name === undefined ? {} : { name }),
    ...(subresource === undefined ? {} : { subresource }),
  });

  const once = async (ask: Ask, signal: AbortSignal): Promise<IncomingMessage> => {
    const asked = askedBy(ask);
    try {
      const admission = await connection.admission().catch((error: unknown) => {
        throw new ApiFailure(asked, 401, `they could not be had: ${reasonOf(error)}`, error);
      });
      const body = bodyOf(ask);
      const { verb, limitMs = TIMEOUT_MS, isBeside = false } = ask;
      const method = METHODS[verb];
      const how = { ...admission, method, signal, limitMs, isBeside, ...(body === undefined ? {} : { body }) };
      return await open(urlOf(connection, ask), how);
    } catch (error) {
      throw error instanceof ApiFailure ? error : new ApiFailure(asked, 0, `did not answer: ${reasonOf(error)}`, error);
    }
  };
  const answer = async (ask: Ask, signal: AbortSignal): Promise<IncomingMessage> => {
    for (let turn = 1; ; turn += 1) {
      const response = await once(ask, signal);
      const { statusCode: status = 0, headers } = response;
      if (status >= 200 && status <= 299) return response;
      const failure = new ApiFailure(askedBy(ask), status, messageIn(await textOf(response)));
      if (status !== 429 || ask.subresource === "eviction" || turn === THROTTLED_TRIES) throw failure;
      await clock.sleep(pauseOf(headers["retry-after"]), signal);
    }
  };
  const reading = async <T>(ask: Ask, signal: AbortSignal, read: (response: IncomingMessage) => Promise<T>) => {
    const limit = AbortSignal.timeout(TIMEOUT_MS * THROTTLED_TRIES);
    try {
      return await read(await answer(ask, AbortSignal.any([signal, limit])));
    } catch (error) {
      throw thrown(error, askedBy(ask), signal);
    }
  };
  return {
    context,
    namespace,
    async send<T>(ask: Ask, signal: AbortSignal): Promise<T> {
      return reading(ask, signal, async (response) => JSON.parse(await textOf(response)) as T);
    },
    text: (ask, signal) => reading(ask, signal, textOf),
    async *lines(ask, signal) {
      try {
        yield* linesOf(await answer(ask, signal));
      } catch (error) {
        throw thrown(error, askedBy(ask), signal);
      }
    },
    list: ({ resource, query, kept }, signal) =>
      reading({ verb: "list", resource, ...(query === undefined ? {} : { query }) }, signal, (response) =>
        listOf(response, kept),
      ),
    async *watch<T>({ resource, query, opened, isBeside = false }: WatchAsk, signal: AbortSignal) {
      const ask: Ask = {
        verb: "watch",
        resource,
        isBeside,
        query: { ...query, watch: "true", allowWatchBookmarks: "true", timeoutSeconds: String(WATCH_S) },
      };
      try {
        const response = await answer(ask, signal);
        opened?.();
        for await (const line of linesOf(response)) yield changeIn<T>(JSON.parse(line), askedBy(ask));
      } catch (error) {
        throw thrown(error, askedBy(ask), signal);
      }
    },
  };
};

/** The caller's own reason, the server's no, or whatever broke on the way. */
function thrown(error: unknown, asked: Asked, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return error instanceof ApiFailure ? error : new ApiFailure(asked, 0, `broke off: ${reasonOf(error)}`, error);
}

function urlOf({ server, namespace }: Connection, { resource, name, subresource, query }: Ask): URL {
  const group = GROUPS[resource];
  const root = group === "" ? `/api/${VERSIONS[resource]}` : `/apis/${group}/${VERSIONS[resource]}`;
  const object =
    name === undefined ? "" : `/${encodeURIComponent(name)}${subresource === undefined ? "" : `/${subresource}`}`;
  const place = resource === "selfsubjectaccessreviews" ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  const url = new URL(`${server}${root}${place}/${pluralOf(resource)}${object}`);
  for (const [key, value] of Object.entries(query ?? {})) url.searchParams.set(key, value);
  return url;
}

type Body = { readonly text: string; readonly type: string };

function bodyOf({ verb, body }: Ask): Body | undefined {
  if (body === undefined) return undefined;
  return { text: JSON.stringify(body), type: verb === "patch" ? "application/json-patch+json" : "application/json" };
}

type How = Admission & {
  readonly method: string;
  readonly signal: AbortSignal;
  readonly limitMs: number;
  readonly isBeside: boolean;
  readonly body?: Body;
};

/** Resolves with the head of the answer. */
const open = (url: URL, how: How): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const { body, method, agent, signal, limitMs, isBeside } = how;
    const send = url.protocol === "https:" ? tlsRequest : plainRequest;
    const headers = {
      ...how.headers,
      accept: "application/json",
      "user-agent": "midflight",
      ...(body === undefined
        ? {}
        : { "content-type": body.type, "content-length": String(Buffer.byteLength(body.text)) }),
    };
    const request = send(url, { method, agent, signal, headers }, resolve);
    const limit = setTimeout(() => request.destroy(new Error(`nothing within ${limitMs / 1_000} s`)), limitMs);
    if (isBeside) request.once("socket", (socket) => socket.unref());
    request.once("response", () => clearTimeout(limit));
    request.once("close", () => clearTimeout(limit));
    // A connection that was kept open and that the other side closed meanwhile.
    request.once("error", (error: NodeJS.ErrnoException) => {
      if (request.reusedSocket && error.code === "ECONNRESET") void open(url, how).then(resolve, reject);
      else reject(error);
    });
    request.end(body?.text);
  });

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const piece of response) text += String(piece);
  return text;
}

async function listOf<T>(response: IncomingMessage, kept: (item: T) => T): Promise<Listed<T>> {
  response.setEncoding("utf8");
  const items: T[] = [];
  const reader = listReader((item) => void items.push(kept(item as T)));
  for await (const piece of response) reader.take(String(piece));
  return { ...(reader.end() as Listed<T>), items };
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  response.setEncoding("utf8");
  let rest = "";
  for await (const piece of response) {
    const lines = `${rest}${String(piece)}`.split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => line !== "");
  }
}

type Line = { readonly type: string; readonly object: unknown };

/** A watch reports its own end as an event. */
function changeIn<T>(line: Line, asked: Asked): Change<T> {
  if (line.type !== "ERROR") return line as Change<T>;
  const { code = 0, message = "the watch failed" } = line.object as {
    readonly code?: number;
    readonly message?: string;
  };
  throw new ApiFailure(asked, code, message);
}

type Status = {
  readonly message?: unknown;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
};

/** What an API server says in its Status, or the beginning of whatever else answered. */
function messageIn(text: string): string {
  try {
    const { message, details } = JSON.parse(text) as Status;
    // Which budget it is stands there alone; other causes only say the message again.
    const budgets = (details?.causes ?? []).filter(({ reason }) => reason === "DisruptionBudget");
    if (typeof message === "string") return [message, ...budgets.map((cause) => cause.message ?? "")].join(" ").trim();
  } catch {
    // A proxy on the way speaks no JSON.
  }
  return text.trim().slice(0, 200) || "without a word";
}

const pauseOf = (retryAfter: string | undefined): number => {
  const seconds = Number(retryAfter ?? 1);
  return Math.min(LONGEST_PAUSE_MS, Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : 1_000);
};

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message !== "" ? error.message : ((error as NodeJS.ErrnoException).code ?? error.name);
}
