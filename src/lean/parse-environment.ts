import type * as z from "zod";
import type { Problem } from "../errors/problem.ts";
import { COMPONENT_SCHEMAS, DRIVERS, environmentHead, type DriverKind } from "./environment-schema.ts";
import { problemsOf } from "./issues.ts";
import { failed, type Parsed } from "./located.ts";
import type { Environment, EnvironmentComponent, EnvironmentRegion, NotifyRule } from "../plan/model.ts";
import { didYouMean } from "./nearest.ts";
import { isRecord, readSource, type Path, type Source } from "./source.ts";

/** Bytes → environment, or every problem at once. Paths stay as written. */
export function parseEnvironment(bytes: Uint8Array, file: string): Parsed<Environment> {
  const read = readSource(bytes, file);
  if (read.source === undefined) return failed(read.problems);
  const { source } = read;
  const head = environmentHead.safeParse(source.value);
  const raw = isRecord(source.value) && isRecord(source.value["components"]) ? source.value["components"] : {};
  const components = Object.entries(raw).map(([name, one]) => ({ name, ...readComponent(source, name, one) }));
  const problems = [...(head.success ? [] : problemsOf(source, head.error, [], knownKeys)), ...components.flatMap((one) => one.problems)];
  if (!head.success || problems.length > 0) return failed(problems);
  const { data } = head;
  const environment: Environment = {
    midflight: 1,
    file,
    name: data.environment,
    class: data.class,
    ...(data.rehearsedIn === undefined ? {} : { rehearsedIn: data.rehearsedIn }),
    regions: Object.fromEntries(Object.entries(data.regions).map(([name, region]) => [name, regionOf(region, data.class)])),
    components: Object.fromEntries(components.flatMap((one) => (one.component === undefined ? [] : [[one.name, one.component]]))),
    notify: (data.notify ?? []).map((rule): NotifyRule => ("webhook" in rule ? { target: { kind: "webhook", url: rule.webhook.url }, on: rule.on } : { target: { kind: "command", argv: rule.command }, on: rule.on })),
    trusts: data.trusts ?? [],
    state: data.state ?? ".midflight",
  };
  return { ok: true, located: { value: environment, source } };
}

function knownKeys(path: Path): readonly string[] {
  if (path.length === 0) return Object.keys(environmentHead.shape);
  if (path[0] === "regions") return path.length === 2 ? ["probe"] : path.length === 3 ? ["okx"] : ["rest", "ws", "accounts", "instrument", "simulatedTrading"];
  return [];
}

type RawRegion = z.output<typeof environmentHead>["regions"][string];

function regionOf(raw: RawRegion, environmentClass: "demo" | "production"): EnvironmentRegion {
  const okx = raw.probe?.okx;
  if (okx === undefined) return {};
  return {
    probe: {
      kind: "okx",
      rest: okx.rest,
      ...(okx.ws === undefined ? {} : { ws: okx.ws }),
      accounts: okx.accounts,
      instrument: okx.instrument ?? "PROBE-USDT",
      simulatedTrading: okx.simulatedTrading ?? environmentClass === "demo",
    },
  };
}

function readComponent(source: Source, name: string, raw: unknown): { readonly component?: EnvironmentComponent; readonly problems: readonly Problem[] } {
  const path: Path = ["components", name];
  if (!isRecord(raw)) return { problems: [] };
  const driver = raw["driver"];
  const kind = DRIVERS.find((one) => one === driver);
  if (kind === undefined) {
    const message = driver === undefined ? "`driver` is missing" : `there is no driver \`${String(driver)}\``;
    return { problems: [source.problem("unknown-driver", driver === undefined ? path : [...path, "driver"], message, { hint: didYouMean(String(driver ?? ""), DRIVERS) })] };
  }
  const parsed = (COMPONENT_SCHEMAS[kind] as z.ZodObject).safeParse(raw);
  if (!parsed.success) return { problems: problemsOf(source, parsed.error, path, () => Object.keys(COMPONENT_SCHEMAS[kind].shape)) };
  return { component: COMPONENTS[kind](parsed.data as never), problems: [] };
}

type Raw<Kind extends DriverKind> = z.output<(typeof COMPONENT_SCHEMAS)[Kind]>;

const COMPONENTS: { readonly [Kind in DriverKind]: (raw: Raw<Kind>) => EnvironmentComponent } = {
  process: (raw) => ({
    driver: "process",
    balancer: raw.balancer,
    instances: raw.instances,
    env: raw.env ?? {},
    ready: raw.ready ?? "/-/ready",
    drain: raw.drain ?? "/-/drain",
    undrain: raw.undrain ?? "/-/undrain",
    drained: raw.drained ?? "/-/drained",
    ...(raw.counters === undefined ? {} : { counters: raw.counters }),
    readyDeadlineMs: raw.readyDeadline ?? 15_000,
    stopDeadlineMs: raw.stopDeadline ?? 5_000,
  }),
  postgres: (raw) => ({ driver: "postgres", url: raw.url }),
  command: (raw) => ({ driver: "command", observe: raw.observe, apply: raw.apply, undo: raw.undo, ready: raw.ready, shell: raw.shell ?? false, timeoutMs: raw.timeout ?? 60_000 }),
};
