import { dirname, resolve } from "node:path";
import { UpgradeError } from "../../errors/upgrade-error.ts";
import type { Environment } from "../../plan/model.ts";
import type { CliIo } from "../io.ts";

/** This machine's folder: `--state`, or what the environment file says, relative to that file. Where state is kept in Kubernetes it holds what only this machine needs. */
export const stateDirOf = (io: CliIo, environment: Environment, option: string | undefined): string =>
  option === undefined || clusterNamed(option) !== undefined
    ? resolve(dirname(environment.file), environment.state)
    : resolve(io.cwd, option);

/** `kubernetes:CONTEXT/NAMESPACE`, as `--state` takes it. A context may hold slashes. Throws `USAGE` for what only begins like it: a slip would be a folder. */
export function clusterNamed(option: string): { readonly context: string; readonly namespace: string } | undefined {
  const [, context, namespace] = /^kubernetes:(.+)\/([a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/.exec(option) ?? [];
  if (context !== undefined && namespace !== undefined) return { context, namespace };
  if (!option.startsWith("kubernetes:")) return undefined;
  throw new UpgradeError("USAGE", `--state ${option} names no context with a namespace`, {
    hint: `write --state kubernetes:CONTEXT/NAMESPACE; a folder of that name is ./${option}`,
  });
}
