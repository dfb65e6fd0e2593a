import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  Autoscaler,
  ConfigMap,
  ControllerRevision,
  Deployment,
  DisruptionBudget,
  EndpointSlice,
  Event,
  Job,
  Lease,
  Managed,
  Metadata,
  Pod,
  PodSet,
  ReplicaSet,
  Service,
} from "../../src/adapters/kubernetes/api/objects.ts";
import type { HttpRoute } from "../../src/adapters/kubernetes/route/http-route.ts";

type Content = {
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly endpoints?: unknown;
  readonly revision?: number;
  readonly immutable?: boolean;
  readonly data?: unknown;
};
export type Thing = Content & { readonly metadata: Metadata };
export type ScaledSet = ReplicaSet & {
  readonly spec: { readonly replicas: number; readonly minReadySeconds?: number };
};
type Kinds = {
  readonly deployments: Deployment;
  readonly statefulsets: PodSet;
  readonly daemonsets: PodSet;
  readonly controllerrevisions: ControllerRevision;
  readonly secrets: Thing;
  readonly replicasets: ScaledSet;
  readonly pods: Pod;
  readonly endpointslices: EndpointSlice;
  readonly services: Service;
  readonly httproutes: HttpRoute;
  readonly events: Event;
  readonly horizontalpodautoscalers: Autoscaler;
  readonly poddisruptionbudgets: DisruptionBudget;
  readonly applications: Managed;
  readonly helmreleases: Managed;
  readonly leases: Lease;
  readonly configmaps: ConfigMap;
  readonly jobs: Job;
};
export type Kind = keyof Kinds;

/** The part of a Kubernetes API server that the driver speaks to, over real HTTP: lists, watches, versions, conflicts, refusals. */
export type KubeApi = {
  readonly url: string;
  /** Everything that was asked of objects: `GET pods`, `PATCH deployments/gateway`. What this user may do is asked beside it. */
  readonly asked: readonly string[];
  /** What this user may do, as it was asked: `delete pods`. */
  readonly reviewed: readonly string[];
  list<K extends Kind>(kind: K, namespace: string): readonly Kinds[K][];
  get<K extends Kind>(kind: K, namespace: string, name: string): Kinds[K] | undefined;
  /** Writes as whoever runs in the cluster. A changed spec is a new generation. */
  put(kind: Kind, namespace: string, thing: Unborn): void;
  remove(kind: Kind, namespace: string, name: string): void;
  /** Called after each change, and not from within one. */
  onChange(react: () => void): void;
  /** Requests that match are answered by this, `times` times. */
  refuse(refusal: Refusal): void;
  /** The next request that matches is answered only after this was done. */
  before(request: Pick<Refusal, "method" | "kind">, act: () => Promise<void>): void;
  /** Refuses nothing any more. */
  forgive(): void;
  /** What a pod printed. */
  print(namespace: string, pod: string, text: string): void;
  /** The next such request is done, and its answer is lost on the way. */
  lose(method: string, kind: Kind): void;
  /** Ends every watch that is open, as a server does that is stopped. */
  endWatches(): void;
  /** Watches stay open, and tell nothing any more. */
  mute(): void;
  /** How many watches are open. */
  watching(): number;
  /** Versions up to now are no longer kept: a watch from one of them is answered by 410. */
  forget(): void;
  close(): Promise<void>;
};

export type Unborn = Content & { readonly metadata: { readonly name: string } & Partial<Metadata> };
export type Refusal = {
  readonly method: string;
  readonly kind: Kind;
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly subresource?: string;
  readonly details?: unknown;
  readonly times?: number;
};

type Review = {
  readonly spec: {
    readonly resourceAttributes: { readonly verb: string; readonly resource: string; readonly subresource?: string };
  };
};
const METHODS: Readonly<Record<string, string>> = {
  get: "GET",
  list: "GET",
  watch: "GET",
  create: "POST",
  patch: "PATCH",
  delete: "DELETE",
};
type Stored = { thing: Thing };
type Change = {
  readonly version: number;
  readonly type: string;
  readonly kind: Kind;
  readonly namespace: string;
  readonly thing: Thing;
};
type Query = { readonly kind: Kind; readonly namespace: string; readonly params: URLSearchParams };
type WatchStream = { readonly query: Query; readonly response: ServerResponse };

export async function kubeApi(): Promise<KubeApi> {
  const store = new Map<string, Stored>();
  const streams = new Set<WatchStream>();
  const refusals: { refusal: Refusal; left: number }[] = [];
  const delays: { readonly method: string; readonly kind: Kind; readonly act: () => Promise<void> }[] = [];
  const printed = new Map<string, string>();
  const losses: { readonly method: string; readonly kind: Kind }[] = [];
  const asked: string[] = [];
  const reviewed: string[] = [];
  let log: Change[] = [];
  let oldest = 0;
  let version = 0;
  let react: () => void = () => undefined;
  let isReacting = false;
  let isMute = false;

  const keyOf = (kind: Kind, namespace: string, name: string): string => `${kind} ${namespace} ${name}`;
  const tell = (type: string, kind: Kind, namespace: string, thing: Thing): void => {
    const change: Change = { version, type, kind, namespace, thing };
    log.push(change);
    for (const stream of streams) send(stream, change);
    if (isReacting) return;
    isReacting = true;
    setImmediate(() => {
      isReacting = false;
      react();
    });
  };
  const write = (kind: Kind, namespace: string, thing: Unborn): Thing => {
    version += 1;
    const key = keyOf(kind, namespace, thing.metadata.name);
    const before = store.get(key)?.thing;
    const isNewSpec = before === undefined || JSON.stringify(before.spec) !== JSON.stringify(thing.spec);
    const born: Thing = {
      ...thing,
      metadata: {
        uid: before?.metadata.uid ?? randomUUID(),
        creationTimestamp: before?.metadata.creationTimestamp ?? new Date(version * 1_000).toISOString(),
        ...thing.metadata,
        namespace,
        resourceVersion: String(version),
        generation: (before?.metadata.generation ?? 0) + (isNewSpec ? 1 : 0),
      },
    };
    store.set(key, { thing: born });
    tell(before === undefined ? "ADDED" : "MODIFIED", kind, namespace, born);
    return born;
  };
  const remove = (kind: Kind, namespace: string, name: string): void => {
    const key = keyOf(kind, namespace, name);
    const found = store.get(key)?.thing;
    if (found === undefined) return;
    version += 1;
    store.delete(key);
    tell("DELETED", kind, namespace, { ...found, metadata: { ...found.metadata, resourceVersion: String(version) } });
  };
  const listed = ({ kind, namespace, params }: Query): readonly Thing[] =>
    [...store.entries()].flatMap(([key, { thing }]) =>
      key.startsWith(`${kind} ${namespace} `) && isSelected(thing, params) ? [thing] : [],
    );

  const send = ({ query, response }: WatchStream, change: Change): void => {
    if (isMute || change.kind !== query.kind || change.namespace !== query.namespace) return;
    if (isSelected(change.thing, query.params))
      response.write(`${JSON.stringify({ type: change.type, object: change.thing })}\n`);
  };
  const watch = (query: Query, response: ServerResponse): void => {
    const from = Number(query.params.get("resourceVersion") ?? version);
    if (from < oldest) return answer(response, 410, { kind: "Status", code: 410, message: "too old resource version" });
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    const stream: WatchStream = { query, response };
    for (const change of log) if (change.version > from) send(stream, change);
    streams.add(stream);
    response.once("close", () => streams.delete(stream));
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://api");
    const [, namespace = "", kind = "", name, subresource] =
      /\/namespaces\/([^/]+)\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const method = request.method ?? "GET";
    if (url.pathname.endsWith("/selfsubjectaccessreviews"))
      return review(JSON.parse(await bodyOf(request)) as Review, response);
    const query: Query = { kind: kind as Kind, namespace, params: url.searchParams };
    const place = [kind, name, subresource].filter((part) => part !== undefined).join("/");
    asked.push(`${query.params.has("watch") ? "WATCH" : method} ${place}`);
    const delayed = delays.findIndex((one) => one.method === method && one.kind === kind);
    if (delayed >= 0) for (const { act } of delays.splice(delayed, 1)) await act();
    const refused = refusals.find(
      ({ refusal, left }) =>
        left > 0 && refusal.method === method && refusal.kind === kind && refusal.subresource === subresource,
    );
    if (refused !== undefined) {
      refused.left -= 1;
      const { status, message, headers, details } = refused.refusal;
      return answer(response, status, { kind: "Status", code: status, message, details }, headers);
    }
    const loss = losses.findIndex((one) => one.method === method && one.kind === kind);
    if (loss !== -1) {
      losses.splice(loss, 1);
      response.end = (() => request.socket.destroy()) as unknown as ServerResponse["end"];
    }
    const text = await bodyOf(request);
    if (subresource === "eviction" && name !== undefined) return evict(query, name, response);
    if (subresource === "log") return void response.writeHead(200).end(printed.get(`${namespace} ${name ?? ""}`) ?? "");
    if (method === "POST") return create(query, JSON.parse(text) as Unborn, response);
    if (name === undefined)
      return query.params.has("watch")
        ? watch(query, response)
        : answer(response, 200, { metadata: { resourceVersion: String(version) }, items: listed(query) });
    const found = store.get(keyOf(query.kind, namespace, name))?.thing;
    if (found === undefined) return answer(response, 404, { kind: "Status", message: `${kind} "${name}" not found` });
    if (method === "PATCH") return patch(query, found, JSON.parse(text) as readonly Op[], response);
    if (method === "DELETE") {
      end(query, found);
      return answer(response, 200, { kind: "Status", status: "Success" });
    }
    answer(response, 200, found);
  };

  /** Allowed is what no refusal stands in the way of. */
  const review = ({ spec: { resourceAttributes } }: Review, response: ServerResponse): void => {
    const { verb, resource, subresource: part } = resourceAttributes;
    reviewed.push(`${verb} ${resource}${part === undefined ? "" : `/${part}`}`);
    const isAllowed = refusals.every(
      ({ refusal: { method, kind, subresource, status }, left }) =>
        left === 0 ||
        status !== 403 ||
        method !== METHODS[resourceAttributes.verb] ||
        kind !== resourceAttributes.resource ||
        subresource !== resourceAttributes.subresource,
    );
    answer(response, 201, { status: { allowed: isAllowed } });
  };
  const create = (query: Query, thing: Unborn, response: ServerResponse): void => {
    if (store.has(keyOf(query.kind, query.namespace, thing.metadata.name)))
      return answer(response, 409, {
        kind: "Status",
        message: `${query.kind} "${thing.metadata.name}" already exists`,
      });
    return answer(response, 201, write(query.kind, query.namespace, thing));
  };
  const patch = (query: Query, found: Thing, ops: readonly Op[], response: ServerResponse): void => {
    const patched = patchedBy(found, ops);
    if (patched.metadata.resourceVersion !== found.metadata.resourceVersion)
      return answer(response, 409, { kind: "Status", message: "the object has been modified" });
    return answer(response, 200, write(query.kind, query.namespace, patched));
  };
  const evict = (query: Query, name: string, response: ServerResponse): void => {
    const found = store.get(keyOf(query.kind, query.namespace, name))?.thing;
    if (found === undefined) return answer(response, 404, { kind: "Status", message: `pods "${name}" not found` });
    end(query, found);
    return answer(response, 201, { kind: "Status", status: "Success" });
  };
  /** A pod is told first, and gone a little later. */
  const end = (query: Query, found: Thing): void => {
    if (query.kind !== "pods") return remove(query.kind, query.namespace, found.metadata.name);
    const { name } = found.metadata;
    write(query.kind, query.namespace, {
      ...found,
      metadata: { ...found.metadata, deletionTimestamp: new Date().toISOString() },
    });
    setTimeout(() => remove(query.kind, query.namespace, name), 20).unref();
  };

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    reviewed,
    list: <K extends Kind>(kind: K, namespace: string) =>
      listed({ kind, namespace, params: new URLSearchParams() }) as unknown as readonly Kinds[K][],
    get: <K extends Kind>(kind: K, namespace: string, name: string) =>
      store.get(keyOf(kind, namespace, name))?.thing as Kinds[K] | undefined,
    put: (kind, namespace, thing) => void write(kind, namespace, thing),
    remove,
    onChange: (reaction) => void (react = reaction),
    before: (request, act) => void delays.push({ ...request, act }),
    refuse: (refusal) => void refusals.push({ refusal, left: refusal.times ?? 1 }),
    forgive: () => void refusals.splice(0),
    print: (namespace, pod, text) => void printed.set(`${namespace} ${pod}`, text),
    lose: (method, kind) => void losses.push({ method, kind }),
    endWatches() {
      for (const { response } of streams) response.end();
      streams.clear();
    },
    mute: () => void (isMute = true),
    watching: () => streams.size,
    forget() {
      oldest = version;
      log = [];
    },
    async close() {
      react = () => undefined;
      for (const { response } of streams) response.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text;
}

function isSelected({ metadata }: Thing, params: URLSearchParams): boolean {
  const labels = (params.get("labelSelector") ?? "").split(/,(?![^(]*\))/).filter((pair) => pair !== "");
  const [, name] = /^metadata\.name=(.*)$/.exec(params.get("fieldSelector") ?? "") ?? [];
  return (
    (name === undefined || name === metadata.name) &&
    labels.every((pair) => {
      const [, among = "", values = ""] = /^(\S+) in \((.*)\)$/.exec(pair) ?? [];
      const [key = "", value = ""] = among === "" ? pair.split("=") : [among, values];
      return value.split(",").includes(metadata.labels?.[key] ?? "");
    })
  );
}

type Op = { readonly op: "add" | "replace" | "remove"; readonly path: string; readonly value?: unknown };

function patchedBy(thing: Thing, ops: readonly Op[]): Thing {
  const copy = structuredClone(thing);
  for (const { op, path, value } of ops) {
    const keys = path
      .slice(1)
      .split("/")
      .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = keys.pop() ?? "";
    const place = keys.reduce(
      (one, key) => one[key] as Record<string, unknown>,
      copy as unknown as Record<string, unknown>,
    );
    if (op === "remove") delete place[last];
    else place[last] = value;
  }
  return copy;
}
