import * as z from "zod";
import { argv, count, duration, name, url, value } from "./scalars.ts";

const probe = z.strictObject({
  okx: z.strictObject({
    rest: url,
    ws: url.optional(),
    accounts: value.meta({ description: "JSON list of {apiKey, secret, passphrase, cohort}; not in this file" }),
    instrument: z.string().optional().meta({ description: "instrument of probe orders; default PROBE-USDT" }),
    simulatedTrading: z.boolean().optional(),
  }),
});

const path = z.string().startsWith("/", { error: "a path that begins with / is expected" });

export const COMPONENT_SCHEMAS = {
  process: z.strictObject({
    driver: z.literal("process"),
    balancer: z.record(z.string(), url).meta({ description: "region → admin address of its balancer" }),
    instances: count.min(1).meta({ description: "instances per region" }),
    env: z.record(z.string(), value).optional(),
    ready: path.optional(),
    drain: path.optional(),
    undrain: path.optional(),
    drained: path.optional(),
    counters: z.strictObject({ path, metric: z.string() }).optional(),
    readyDeadline: duration.optional(),
    stopDeadline: duration.optional(),
  }),
  postgres: z.strictObject({ driver: z.literal("postgres"), url: value }),
  command: z.strictObject({ driver: z.literal("command"), observe: argv, apply: argv, undo: argv, ready: argv, shell: z.boolean().optional(), timeout: duration.optional() }),
} as const;
export type DriverKind = keyof typeof COMPONENT_SCHEMAS;
export const DRIVERS = Object.keys(COMPONENT_SCHEMAS) as readonly DriverKind[];

const notifyOn = z.array(z.enum(["tripped", "stranded", "unknown", "ended", "held", "approval"])).min(1);
const notify = z.union([z.strictObject({ webhook: z.strictObject({ url: value }), on: notifyOn }), z.strictObject({ command: argv, on: notifyOn })], { error: "{ webhook: { url }, on } or { command, on } is expected" });

const head = {
  midflight: z.literal(1, { error: "this midflight reads version 1" }),
  environment: name,
  class: z.enum(["demo", "production"]),
  rehearsedIn: name.optional(),
  regions: z.record(name, z.strictObject({ probe: probe.optional() })),
  notify: z.array(notify).optional(),
  trusts: z.array(z.string()).optional(),
  state: z.string().optional().meta({ description: "folder for runs, journals and leases, relative to this file; default .midflight" }),
};

/** For reading: components one by one, by their driver. */
export const environmentHead = z.strictObject({ ...head, components: z.record(name, z.record(z.string(), z.unknown())) });
/** For editors. */
export const environmentDocument = z.strictObject({ ...head, components: z.record(name, z.union(Object.values(COMPONENT_SCHEMAS))) });
