import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Environment, LiveSource } from "../../plan/model.ts";
import type { WatchedSource } from "../../ports/watcher.ts";
import { rulesNamed } from "./probes.ts";
import type { Secrets } from "./secrets.ts";

/** The live sources of an environment, with the values that must not stand in its file. Throws `SECRET_MISSING`, `SECRET_MALFORMED`. */
export const watchedSources = (environment: Environment, secrets: Secrets, cwd: string): readonly WatchedSource[] =>
  environment.sources.map((source, index) => watched(source, { environment, secrets, cwd, id: `sources[${index}]` }));

type How = {
  readonly environment: Environment;
  readonly secrets: Secrets;
  readonly cwd: string;
  readonly id: string;
};

function watched(source: LiveSource, { environment, secrets, cwd, id }: How): WatchedSource {
  const { rules: name, ...kept } = source;
  const rules = rulesNamed(environment, name);
  const known = { id, ...(rules === undefined ? {} : { rules }) };
  if (kept.kind === "command") return { ...kept, ...known, cwd, env: { MIDFLIGHT_ENVIRONMENT: environment.name } };
  const { url, token, ...rest } = kept;
  const address = secrets.read(url, `the address of ${id}`);
  if (!/^https?:$/.test(URL.canParse(address) ? new URL(address).protocol : ""))
    throw new UpgradeError("SECRET_MALFORMED", `the address of ${id} is no http or https address`, {
      hint: "give the base address of a Prometheus server, such as http://127.0.0.1:9090",
    });
  return {
    ...rest,
    ...known,
    url: address,
    ...(token === undefined ? {} : { token: secrets.read(token, `the token of ${id}`) }),
  };
}
