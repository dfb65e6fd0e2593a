import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Environment } from "../../plan/model.ts";
import type { EnvironmentFact } from "../../ports/facts.ts";
import type { FactsOfNow } from "../../rehearsal/certificate/objections.ts";
import { certifiedFacts } from "../../rehearsal/parity/certified-facts.ts";
import type { Side } from "../../rehearsal/parity/compare.ts";
import { factsOfFile } from "../../rehearsal/parity/facts-of-file.ts";
import type { CliIo } from "../io.ts";
import type { Loaded } from "../files/load.ts";
import { stateDirOf } from "../run/state-dir.ts";
import { wireFacts, wireRegionFacts } from "../wiring/facts.ts";

/** A component that says nothing for so long is not asked any more. */
const DEADLINE_MS = 60_000;

export type CollectOrder = {
  /** `--state`; else what the environment file says. */
  readonly state?: string;
  /** Components to ask about; all where it is not given. */
  readonly only?: readonly string[];
  /** Told what is being asked. */
  readonly asking?: (component: string) => void;
};

/** Everything that can be known of an environment without changing anything in it. Rejects with what could not be asked, and where. */
export async function collectFacts(io: CliIo, environment: Environment, order: CollectOrder = {}): Promise<Side> {
  const names = Object.keys(environment.components).filter((name) => order.only?.includes(name) ?? true);
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const how = { env: io.env, cwd: io.cwd, stateDir: stateDirOf(io, environment, order.state) };
  const asked = await Promise.all(
    names.map(async (component): Promise<readonly EnvironmentFact[]> => {
      order.asking?.(component);
      try {
        const facts = await wireFacts(environment, component, how);
        return await facts.collect(signal);
      } catch (error) {
        throw placed(environment.name, component, signal.aborted ? timedOut(component) : error);
      }
    }),
  );
  // What regions tell matters to no plan by itself.
  const regions = order.only === undefined ? Object.keys(environment.regions) : [];
  const told = await Promise.all(
    regions.map(async (region) => (await wireRegionFacts(environment, region)).collect(signal)),
  );
  return {
    name: environment.name,
    class: environment.class,
    facts: [...factsOfFile(environment), ...asked.flat(), ...told.flat()],
  };
}

/** The facts of an environment that a certificate is bound to, as they are now. */
export async function liveFacts(io: CliIo, loaded: Loaded, state?: string): Promise<FactsOfNow> {
  const side = await collectFacts(io, loaded.environment, {
    only: Object.keys(loaded.plan.components),
    ...(state === undefined ? {} : { state }),
  });
  return certifiedFacts(loaded.graph, side.facts);
}

const placed = (environment: string, component: string, error: unknown): unknown =>
  error instanceof UpgradeError
    ? new UpgradeError(error.code, `${component} of ${environment}: ${error.message}`, {
        hint: error.hint,
        cause: error,
      })
    : error;

const timedOut = (component: string): UpgradeError =>
  new UpgradeError("FACTS_TIMED_OUT", `no answer within ${DEADLINE_MS / 1000} s`, {
    hint: `see what keeps ${component}, and try again`,
  });
