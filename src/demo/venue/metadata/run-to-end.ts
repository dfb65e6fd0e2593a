import { endGuarded, spawnGuarded } from "../guardian.ts";
import type { Identity } from "./identity.ts";

/** How a command ended; `code` is `undefined` when it was killed. `output` is what it printed, on both streams. */
export type Ended = { readonly code: number | undefined; readonly output: string };

/** Runs a command as `who`, from the root folder and without PostgreSQL's own variables. It is killed after `timeoutMs`. Never rejects. */
export const runToEnd = async (argv: readonly string[], who: Identity, timeoutMs: number): Promise<Ended> => {
  const child = spawnGuarded(argv, {
    ...idsOf(who),
    cwd: "/",
    env: cleanEnvironment(),
    stdout: "pipe",
    stderr: "pipe",
    endSignal: "QUIT",
  });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part: Buffer) => parts.push(part));
  const timer = setTimeout(() => void endGuarded(child, "SIGQUIT", 500), timeoutMs);
  const code = await new Promise<number | undefined>((resolve) => {
    child.once("error", (error) => {
      parts.push(Buffer.from(error.message));
      resolve(undefined);
    });
    child.once("close", (status) => resolve(status ?? undefined));
  });
  clearTimeout(timer);
  return { code, output: Buffer.concat(parts).toString("utf8").trim() };
};

/** The ids for `spawn`; nothing when the command runs as this process does. */
export const idsOf = ({ uid, gid }: Identity): { readonly uid?: number; readonly gid?: number } => ({
  ...(uid !== undefined && { uid }),
  ...(gid !== undefined && { gid }),
});

/** PGDATA, PGPORT and their like would lead the server astray; the C locale keeps its messages as we know them. */
export const cleanEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG|LD_|DYLD_)/.test(name))),
  LC_ALL: "C",
  TZ: "UTC",
});
