import { dirname, resolve } from "node:path";
import type { Environment } from "../../plan/model.ts";
import type { CliIo } from "../io.ts";

/** This machine's folder: `--state`, or what the environment file says, relative to that file. Where state is kept in Kubernetes it holds what only this machine needs. */
export const stateDirOf = (io: CliIo, environment: Environment, option: string | undefined): string =>
  option === undefined || clusterNamed(option) !== undefined
    ? resolve(dirname(environment.file), environment.state)
    : resolve(io.cwd, option);

/** `kubernetes:CONTEXT/NAMESPACE`, as `--state` takes it. A context may hold slashes. */
export function clusterNamed(option: string): { readonly context: string; readonly namespace: string } | undefined {
  const [, context, namespace] = /^kubernetes:(.+)\/([a-z0-9]([a-z0-9.-]*[a-z0-9])?)$/.exec(option) ?? [];
  return context === undefined || namespace === undefined ? undefined : { context, namespace };
}
