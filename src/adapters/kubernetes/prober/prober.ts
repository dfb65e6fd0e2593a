import type { Clock } from "../../../ports/clock.ts";
import type { Prober, ProberListener } from "../../../ports/prober.ts";
import type { ProberPlace } from "../../../plan/model.ts";
import { ApiFailure, isFailure, upgradeErrorOf } from "../api/api-failure.ts";
import { apiOf } from "../api/api.ts";
import { writeCertainly, type Place } from "../api/certain-write.ts";
import { connect } from "../api/connection.ts";
import { follow } from "../api/follow.ts";
import type { Deployment, Pod } from "../api/objects.ts";
import { annotationPath } from "../api/patch.ts";
import { troubleOf } from "../explain.ts";
import { inOurWords } from "../site.ts";
import { CONTAINER, deploymentOf, ORDERS, podsOf, proberName, type ProberSeat } from "./deployment.ts";
import { isAbandoned, probersIn, removeProber } from "./left.ts";
import { followLog } from "./pod-log.ts";

export type ProberOptions = Omit<ProberSeat, "image" | "env"> & {
  readonly place: Omit<ProberPlace, "kubeconfig">;
  /** A path, or the text. Undefined: where kubectl would find it. */
  readonly kubeconfig?: string;
  readonly clock: Clock;
};

/** A way back that does not come is not waited for: the prober is alone then, and rests by itself. */
const STOP_MS = 14_000;

/** A prober as a Deployment of one replica: told by an annotation of its pod, heard by its log. Throws `KUBECONFIG_UNUSABLE`, `KUBERNETES_NOT_FOUND`. */
export function kubernetesProber({ place: at, kubeconfig, clock, ...told }: ProberOptions): Prober {
  const { context, namespace, image, env } = at;
  const api = apiOf(connect(kubeconfig, context, { namespace, now: () => clock.monotonic() }), clock);
  const place: Place = { api, clock };
  const seat: ProberSeat = { ...told, image, ...(env === undefined ? {} : { env }) };
  const name = proberName(seat);
  const end = new AbortController();
  let running: readonly Promise<unknown>[] = [];
  let starting: Promise<void> | undefined;
  const post = postOffice(place, end.signal);

  return {
    start(on, signal) {
      starting = inOurWords("PROBES_UNREACHABLE", async () => {
        await put(place, seat, signal);
        running = [clearAway(place, seat, end.signal), listen(place, name, { on, post }, end.signal)];
        for (const one of running) one.catch((error: unknown) => sayWhy(error, on, end.signal));
      });
      return starting;
    },
    order: (text) => post.order(text),
    async stop() {
      end.abort(new Error("the prober is stopped"));
      if (starting === undefined) return;
      await Promise.allSettled([starting, ...running]);
      // One that cannot be reached hears no order either, and rests; the next run finds it.
      await removeProber(place, name, AbortSignal.timeout(STOP_MS)).catch(() => undefined);
    },
  };
}

const sayWhy = (error: unknown, on: ProberListener, signal: AbortSignal): void => {
  if (!signal.aborted) on.trouble(error instanceof ApiFailure ? cannot(error) : String(error));
};

const cannot = (failure: ApiFailure): string =>
  `cannot be heard: ${upgradeErrorOf(failure, "PROBES_UNREACHABLE").message}`;

/** Makes the Deployment, or makes that of an earlier conductor of this run what it shall be: as it is, its pod goes on. */
async function put(place: Place, seat: ProberSeat, signal: AbortSignal): Promise<void> {
  const body = deploymentOf(seat);
  const { name } = body.metadata;
  const query = { fieldManager: "midflight" };
  try {
    const ask = { verb: "create", query, body } as const;
    await writeCertainly<Deployment>(place, { resource: "deployments", name, ask, isDone: () => false }, signal);
  } catch (error) {
    if (!isFailure(error, 409)) throw error;
    const patch = [
      { op: "replace", path: "/spec/replicas", value: body.spec.replicas },
      { op: "replace", path: "/spec/template", value: body.spec.template },
    ];
    await place.api.send({ verb: "patch", resource: "deployments", name, query, body: patch }, signal);
  }
}

/** Removes what runs that are dead left in this region. Nothing waits for it. */
async function clearAway(place: Place, { environment, region, run }: ProberSeat, signal: AbortSignal): Promise<void> {
  const others = (await probersIn(place, environment, signal)).filter(
    (one) => one.region === region && one.run !== run,
  );
  await Promise.all(
    others.map(async (one) => {
      if (await isAbandoned(place, one, signal)) await removeProber(place, one.name, signal);
    }),
  );
}

type Post = ReturnType<typeof postOffice>;

/** Brings the newest orders to the pod that is there, one write at a time, until they have arrived. */
function postOffice({ api, clock }: Place, signal: AbortSignal) {
  let text: string | undefined;
  let pod: string | undefined;
  let brought: string | undefined;
  let isBusy = false;
  const bring = async (): Promise<void> => {
    while (text !== undefined && pod !== undefined && brought !== `${pod} ${text}`) {
      const [to, value] = [pod, text];
      const body = [{ op: "add", path: annotationPath(ORDERS), value }];
      try {
        await api.send(
          { verb: "patch", resource: "pods", name: to, query: { fieldManager: "midflight" }, body },
          signal,
        );
        brought = `${to} ${value}`;
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
        // It is gone, the API does not answer, or it may not be: lines that do not echo the order tell of it.
        await clock.sleep(error.status === 403 ? FORBIDDEN_MS : RETRY_MS, signal);
      }
    }
  };
  const wake = (): void => {
    if (isBusy || signal.aborted) return;
    isBusy = true;
    bring().then(
      () => (isBusy = false),
      () => undefined,
    );
  };
  return {
    order(orders: string): void {
      text = orders;
      wake();
    },
    to(name: string | undefined): void {
      pod = name;
      wake();
    },
  };
}

const RETRY_MS = 500;
const FORBIDDEN_MS = 5_000;

type Ear = { readonly on: ProberListener; readonly post: Post };

/** Follows whichever pod is the prober now, and says what keeps it from being one. */
async function listen(place: Place, name: string, { on, post }: Ear, signal: AbortSignal): Promise<void> {
  let owner: Deployment | undefined;
  let pods: readonly Pod[] = [];
  let current: { readonly pod: string; readonly end: AbortController } | undefined;
  let said: string | undefined;
  const say = (why: string | undefined): void => {
    if (why !== said) on.trouble(why);
    said = why;
  };
  const hear = (pod: string, end: AbortController): void => {
    const listener = {
      line(text: string): void {
        if (current?.end !== end) return;
        say(undefined);
        on.line(text);
      },
      silence(failure: ApiFailure): void {
        // Its container has not begun, or is between two lives: the pod's own state says why.
        if (failure.status !== 400 && failure.status !== 404) say(cannot(failure));
        else say(why());
      },
    };
    followLog(place, { pod, container: CONTAINER }, listener, AbortSignal.any([signal, end.signal])).catch(
      (error: unknown) => {
        if (current?.end === end) sayWhy(error, on, signal);
      },
    );
  };
  const alive = (): readonly Pod[] =>
    pods.filter(({ metadata, status }) => metadata.deletionTimestamp === undefined && !OVER.has(status?.phase ?? ""));
  const why = (): string => {
    const trouble = owner === undefined ? undefined : troubleOf(alive(), owner)?.text;
    return trouble === undefined ? (alive().length === 0 ? "have no pod" : "have not begun") : `do not run: ${trouble}`;
  };
  const turn = (): void => {
    const [newest] = alive().toSorted((a, b) => (bornAt(a) < bornAt(b) ? 1 : -1));
    if (newest?.metadata.name !== current?.pod) {
      current?.end.abort(new Error("another pod is the prober"));
      const end = new AbortController();
      current = newest === undefined ? undefined : { pod: newest.metadata.name, end };
      post.to(current?.pod);
      if (current !== undefined) hear(current.pod, end);
    }
    if (newest === undefined || newest.status?.phase === "Pending") say(why());
  };
  const silence = (failure: ApiFailure): void => say(cannot(failure));
  await Promise.race([
    follow<Deployment>(
      place,
      { resource: "deployments", query: { fieldSelector: `metadata.name=${name}` } },
      {
        items([found]) {
          owner = found;
          turn();
        },
        silence,
      },
      signal,
    ),
    follow<Pod>(
      place,
      { resource: "pods", query: { labelSelector: podsOf(name) } },
      {
        items(found) {
          pods = found;
          turn();
        },
        silence,
      },
      signal,
    ),
  ]);
}

const OVER: ReadonlySet<string> = new Set(["Succeeded", "Failed"]);
const bornAt = ({ metadata }: Pod): string => metadata.creationTimestamp ?? "";
