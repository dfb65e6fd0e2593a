import { messageOf } from "../../errors/message-of.ts";
import { dirname } from "node:path";
import type { SessionReading, SessionWatch } from "../../ports/sessions.ts";
import type { DarkReading, DarkWatch } from "../../rehearsal/dark.ts";
import type { Loaded } from "../files/load.ts";
import type { State } from "../run/state.ts";
import { wireEstate } from "./estate.ts";
import { Secrets } from "./secrets.ts";

/** How long new instances stand alone before they are judged: what they do at their start, and a little longer, ms. */
const ALONE_MS = 1_500;

export type WiredDark = DarkWatch & { readonly readings: () => readonly DarkReading[]; close(): Promise<void> };

/**
 * Sees what new instances of the process driver do in the PostgreSQL stores of their plan. It cannot see what they do elsewhere: in a message
 * broker, in files, in another server, or in a store that they reach through a pool of others' sessions.
 */
export function wireDark(
  loaded: Loaded,
  how: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly state: State;
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
        if (loaded.environment.components[component]?.driver === "process")
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

/** Of what runs in the region from now on, and did not before. */
async function watchesOf(
  loaded: Loaded,
  component: string,
  region: string,
  { env, state, signal }: Parameters<typeof wireDark>[1],
): Promise<readonly SessionWatch[]> {
  const { connectionsOf } = await import("../../adapters/process/connections.ts");
  const { watchSessions } = await import("../../adapters/postgres/watch-sessions.ts");
  const { estate } = wireEstate(loaded, component, { env, stateDir: state.dir });
  const secrets = new Secrets(env, dirname(loaded.environment.file));
  const before = new Set(await estate.pids(region));
  const ports = async () => connectionsOf((await estate.pids(region)).filter((pid) => !before.has(pid)));
  const stores = Object.keys(loaded.plan.components).flatMap((name) => {
    const placed = loaded.environment.components[name];
    return placed?.driver === "postgres" ? [{ store: name, url: secrets.read(placed.url, `the URL of ${name}`) }] : [];
  });
  return Promise.all(stores.map((store) => watchSessions({ ...store, ports }, signal)));
}
