import type { CountBin } from "./count.ts";

/** An instance as the judge needs to know it. */
export type Instance = {
  readonly id: string;
  readonly region: string;
  readonly release: string;
  readonly side: "new" | "old";
  readonly inTraffic: boolean;
};

/** What reading the counters of all instances has shown: which could not be reached, and which answered with something else than counters. */
export type Reach = {
  readonly kind: "reach";
  readonly at: number;
  readonly gone: readonly string[];
  readonly unreadable: readonly { readonly id: string; readonly why: string }[];
};

/** Who is out of reach since when, and when probes of a region last succeeded and failed (begin of the bin). */
export type Contact = {
  readonly at: number;
  readonly goneSince: Readonly<Record<string, number>>;
  readonly unreadable: Readonly<Record<string, { readonly since: number; readonly why: string }>>;
  readonly probes: Readonly<Record<string, { readonly ok: number; readonly failed: number }>>;
};

export const noContact: Contact = { at: 0, goneSince: {}, unreadable: {}, probes: {} };

/** Instances that go within this time of each other went for one reason. */
const TOGETHER_MS = 1_500;

export const foldReach = (contact: Contact, reach: Reach): Contact => ({
  ...contact,
  at: reach.at,
  goneSince: Object.fromEntries(reach.gone.map((id) => [id, contact.goneSince[id] ?? reach.at])),
  unreadable: Object.fromEntries(
    reach.unreadable.map(({ id, why }) => [id, { since: contact.unreadable[id]?.since ?? reach.at, why }]),
  ),
});

export const foldProbeContact = (contact: Contact, bin: CountBin): Contact => {
  const probed = bin.counts.filter((count) => count.source === "probes");
  if (probed.length === 0) return contact;
  const from = bin.at - bin.ms;
  const probes = { ...contact.probes };
  for (const { region, issued, failed } of probed) {
    const known = probes[region] ?? { ok: 0, failed: 0 };
    probes[region] = {
      ok: issued > failed ? Math.max(known.ok, from) : known.ok,
      failed: failed > 0 ? Math.max(known.failed, from) : known.failed,
    };
  }
  return { ...contact, probes };
};

/** Regions whose instances are all out of reach, with the time at which the last one went. Probes may still have to show it. */
export const goneRegions = (
  contact: Contact,
  instances: readonly Instance[],
): readonly { readonly region: string; readonly since: number; readonly count: number }[] =>
  [
    ...Map.groupBy(
      instances.filter((instance) => instance.inTraffic),
      ({ region }) => region,
    ),
  ].flatMap(([region, members]) => {
    const times = members.map(({ id }) => contact.goneSince[id]).filter((time) => time !== undefined);
    if (times.length < members.length) return [];
    // New instances that fall one by one, or alone, crash by themselves; servers that die take everybody along.
    const isServer =
      members.some(({ side }) => side === "old") ||
      (members.length > 1 && Math.max(...times) - Math.min(...times) <= TOGETHER_MS);
    return isServer ? [{ region, since: Math.min(...times), count: members.length }] : [];
  });

/** Whether the region's probes fail too, and none succeeds. `hasProbes`: without probes the counters decide alone. */
export const isLost = (
  contact: Contact,
  gone: { readonly region: string; readonly since: number },
  hasProbes: boolean,
): boolean => {
  if (!hasProbes) return true;
  const seen = contact.probes[gone.region];
  // Reading counters notices up to one round later than probes do.
  return seen !== undefined && seen.failed >= gone.since - TOGETHER_MS && seen.ok < gone.since;
};
