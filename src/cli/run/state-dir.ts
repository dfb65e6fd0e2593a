import { dirname, resolve } from "node:path";
import type { Environment } from "../../plan/model.ts";
import type { CliIo } from "../io.ts";

/** `--state`, or what the environment file says, relative to that file. */
export const stateDirOf = (io: CliIo, environment: Environment, option: string | undefined): string =>
  option === undefined ? resolve(dirname(environment.file), environment.state) : resolve(io.cwd, option);
