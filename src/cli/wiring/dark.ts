import { messageOf } from "../../errors/message-of.ts";
import { dirname } from "node:path";
import type { watchSessions } from "../../adapters/postgres/watch-sessions.ts";
import type { SessionReading, SessionWatch } from "../../ports/sessions.ts";
import type { Workload } from "../../ports/workload.ts";
import type { DarkReading, DarkWatch } from "../../rehearsal/dark.ts";
import type { World } from "../../runtime/world.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import { wireEstate } from "./estate.ts";
import { Secrets } from "./secrets.ts";

/** How long new instances stand alone before they are judged: what they do at their start, and a little longer, ms. */
const ALONE_MS = 1_500;

export type WiredDark = DarkWatch & { readonly readings: () => readonly DarkReading[]; close(): Promise<void> };

/**
 * Sees what new processes and pods do in the PostgreSQL stores of their plan. It cannot see what they do elsewhere: in a message
 * broker, in files, in another server, or in a store that they reach through a pool of others' sessions.
 */
export function wireDark(
  loaded: Loaded,
  how: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly state: State;
    /** To look through. */
    readonly workloads: World["workloads"];
    readonly signal: AbortSignal;
  },
): WiredDark {
  const { signal, state } = how;
  const open = new Map<string, readonly SessionWatch[]>();
  const alone = new Map<string, readonly SessionReading[]>();
  const readings: DarkReading[] = [];
  const answers = (place: string, about: Parameters<SessionWatch["answer"]>[0]) =>
    Promise.all((open.get(place) ?? []).map((watch) => watch.answer(about, signal)));
  const close = async (place: string): Promise<void> => {
    const watches = open.get(place) ?? [];
    open.delete(place);
    await Promise.all(watches.map((watch) => watch.close()));
  };
  /** A watch that fails is no fault of the release: the run goes on, and nothing is proved. */
  const orBlind = async (component: string, region: string, work: (place: string) => Promise<void>): Promise<void> => {
    const place = `${component}/${region}`;
    try {
      await work(place);
    } catch (error) {
      readings.push({ component, region, alone: [blindBy(error)], probed: [] });
      await close(place);
    }
  };
  return {
    readings: () => readings,
    begin: (component, region) =>
      orBlind(component, region, async (place) => {
        const driver = loaded.environment.components[component]?.driver;
        if (driver === "process" || driver === "kubernetes")
          open.set(place, await watchesOf(loaded, component, region, how));
      }),
    alone: (component, region) =>
      orBlind(component, region, async (place) => {
        if (!open.has(place)) return;
        await state.clock.sleep(ALONE_MS, signal);
        alone.set(place, await answers(place, "writes-too"));
      }),
    probed: (component, region) =>
      orBlind(component, region, async (place) => {
        const before = alone.get(place);
        if (before === undefined || !open.has(place)) return;
        readings.push({ component, region, alone: before, probed: await answers(place, "leadership") });
        await close(place);
      }),
    close: async () => {
      await Promise.all([...open.keys()].map((place) => close(place)));
    },
  };
}

const blindBy = (error: unknown): SessionReading => ({
  store: "the stores",
  sessions: 0,
  transactions: 0,
  acts: [],
  blindTo: { what: "sessions", why: messageOf(error) },
});

type How = Parameters<typeof wireDark>[1];

/** Of what runs in the region from now on, and did not before. */
async function watchesOf(
  loaded: Loaded,
  component: string,
  region: string,
  how: How,
): Promise<readonly SessionWatch[]> {
  const { watchSessions } = await import("../../adapters/postgres/watch-sessions.ts");
  const secrets = new Secrets(how.env, dirname(loaded.environment.file));
  const stores = Object.keys(loaded.plan.components).flatMap((name) => {
    const placed = loaded.environment.components[name];
    return placed?.driver === "postgres" ? [{ store: name, url: secrets.read(placed.url, `the URL of ${name}`) }] : [];
  });
  if (stores.length === 0) return [];
  const placed = loaded.environment.components[component];
  const clients =
    placed?.driver === "kubernetes"
      ? await addressesOf(how.workloads[component]?.workload, region, how.signal)
      : await portsOf(loaded, component, region, how);
  return Promise.all(stores.map((store) => watchSessions({ ...store, clients }, how.signal)));
}

type Known = Parameters<typeof watchSessions>[0]["clients"];

async function portsOf(loaded: Loaded, component: string, region: string, { env, state }: How): Promise<Known> {
  const { connectionsOf } = await import("../../adapters/process/connections.ts");
  const { estate } = wireEstate(loaded, component, { env, stateDir: state.dir });
  const before = new Set(await estate.pids(region));
  return async () => {
    const ports = await connectionsOf((await estate.pids(region)).filter((pid) => !before.has(pid)));
    return ports === undefined ? undefined : { ports };
  };
}

async function addressesOf(workload: Workload | undefined, region: string, signal: AbortSignal): Promise<Known> {
  const instances = async () => (await workload?.observe(region, signal))?.instances ?? [];
  const before = new Set((await instances()).map(({ id }) => id));
  return async () => {
    const [old, fresh] = [new Set<string>(), new Set<string>()];
    for (const { id, address } of await instances())
      if (address !== undefined) (before.has(id) ? old : fresh).add(hostOf(address));
    // Pods on the network of their node have its address.
    return [...fresh].some((address) => old.has(address)) ? undefined : { addresses: fresh };
  };
}

/** Without the port, and without the brackets of an address of version 6. */
const hostOf = (address: string): string => address.replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");
