import { accountsNeeded, OPERATIONS_PER_ACCOUNT } from "../../adapters/guard-thread/rate-limits.ts";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import { OKX_V5 } from "../../guard/rules-okx.ts";
import { rulesOn, type Rules } from "../../guard/rules.ts";
import type { Environment, HttpProbe, PlanGuard, ProbeTarget } from "../../plan/model.ts";
import { cohortKeysOf } from "../../plan/request-texts.ts";
import type { ProbeAccount, ProbeCohort, WatchConfig } from "../../ports/watcher.ts";
import type { Secrets } from "./secrets.ts";

type Region = WatchConfig["regions"][number];

/** How a region is probed for a guard, with its secrets. Throws `SECRET_MISSING`, `SECRET_MALFORMED`, `PROBE_ACCOUNTS_FEW`. */
export function watchedRegion(
  environment: Pick<Environment, "regions" | "rules">,
  guard: PlanGuard,
  region: string,
  secrets: Secrets,
): Region {
  const probe = environment.regions[region]?.probe;
  if (probe === undefined) return { region, accounts: [] };
  const rules = rulesNamed(environment, probe.rules);
  // Its secrets are read where it runs, and nowhere else.
  if (probe.in !== undefined) return { region, probe, accounts: [], isRemote: true };
  return {
    region,
    probe,
    accounts: accountsFor(probe, guard, region, secrets),
    ...(probe.kind === "http" ? { cohorts: cohortsOf(probe, region, secrets) } : {}),
    ...(rules === undefined ? {} : { rules }),
  };
}

/** Undefined: those that ship. */
export function rulesNamed({ rules }: Pick<Environment, "rules">, name: string | undefined): Rules | undefined {
  const written = name === undefined ? undefined : rules[name];
  return name === undefined || written === undefined ? undefined : rulesOn(OKX_V5, name, written);
}

function accountsFor(probe: ProbeTarget, guard: PlanGuard, region: string, secrets: Secrets): readonly ProbeAccount[] {
  if (probe.kind === "http") return [];
  return enoughFor(
    guard,
    region,
    accountsOf(secrets.read(probe.accounts, `probe accounts of ${region}`), region, secrets),
  );
}

/** Venues limit each account. Fewer accounts would probe less often than the plan says, and nobody would notice. */
function enoughFor(guard: PlanGuard, region: string, accounts: readonly ProbeAccount[]): readonly ProbeAccount[] {
  const needed = accountsNeeded(guard.probesPerSec);
  if (accounts.length >= needed) return accounts;
  const most = accounts.length * OPERATIONS_PER_ACCOUNT;
  throw new UpgradeError(
    "PROBE_ACCOUNTS_FEW",
    `${guard.probesPerSec} probes a second in ${region} need ${needed} accounts, and ${accounts.length} ${accounts.length === 1 ? "is" : "are"} given`,
    { hint: `add accounts, or set guard.probes to at most ${most}/s` },
  );
}

function accountsOf(text: string, region: string, secrets: Secrets): readonly ProbeAccount[] {
  const bad = badList(`the probe accounts of ${region}`, '{"apiKey","secret","passphrase","cohort"}');
  return listIn(text, bad).map(({ apiKey, secret, passphrase, cohort = "all" }) => {
    if (typeof apiKey !== "string" || typeof secret !== "string" || typeof passphrase !== "string")
      throw bad("lack a key, a secret or a passphrase");
    if (typeof cohort !== "string") throw bad("have a cohort that is no text");
    secrets.add(secret, passphrase);
    return { apiKey, secret, passphrase, cohort };
  });
}

function cohortsOf(probe: HttpProbe, region: string, secrets: Secrets): readonly ProbeCohort[] {
  const values = Object.fromEntries(
    Object.entries(probe.values).map(([name, value]) => [
      name,
      secrets.read(value, `the value ${name} of the probe of ${region}`),
    ]),
  );
  if (probe.cohorts === undefined) return [{ cohort: "all", values }];
  const text = secrets.read(probe.cohorts, `probe cohorts of ${region}`);
  const wanted = cohortKeysOf(probe);
  const bad = badList(
    `the probe cohorts of ${region}`,
    `{${["cohort", ...wanted].map((key) => `"${key}"`).join(",")}}`,
  );
  return listIn(text, bad).map((one) => {
    const { cohort = "all", ...own } = one;
    const texts = Object.entries(own).filter((entry): entry is [string, string] => typeof entry[1] === "string");
    const lacking = wanted.find((name) => typeof own[name] !== "string");
    if (lacking !== undefined) throw bad(`lack the text "${lacking}"`);
    if (typeof cohort !== "string") throw bad("have a cohort that is no text");
    secrets.add(...texts.map(([, value]) => value));
    return { cohort, values: { ...values, ...Object.fromEntries(texts) } };
  });
}

type Block = Readonly<Record<string, unknown>>;
type Bad = (why: string) => UpgradeError;

const badList =
  (what: string, form: string): Bad =>
  (why) =>
    new UpgradeError("SECRET_MALFORMED", `${what} ${why}`, { hint: `give a JSON list of ${form}` });

function listIn(text: string, bad: Bad): readonly Block[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw bad("are no JSON");
  }
  if (!Array.isArray(parsed) || parsed.length === 0) throw bad("are no list, or an empty one");
  if (parsed.some((one) => typeof one !== "object" || one === null)) throw bad("hold something that is no block");
  return parsed as readonly Block[];
}
