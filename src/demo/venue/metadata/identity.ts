import { readFileSync } from "node:fs";
import { UpgradeError } from "../../../errors/upgrade-error.ts";

/** Who runs PostgreSQL; without ids it is the user who runs this process. */
export type Identity = { readonly name: string; readonly uid?: number; readonly gid?: number };

/** Users that many systems have, and that own little or nothing. */
const CANDIDATES = ["postgres", "nobody", "daemon"];

/** PostgreSQL refuses to run as root, so root lends it an existing unprivileged user. Throws `POSTGRES_NO_USER`. */
export const chooseIdentity = (): Identity => {
  if (process.getuid?.() !== 0) return { name: "this user" };
  const users = readUsers();
  const found = CANDIDATES.map((name) => users.get(name)).find((user) => user !== undefined);
  if (found !== undefined) return found;
  throw new UpgradeError(
    "POSTGRES_NO_USER",
    `PostgreSQL does not run as root, and this system has none of the users ${CANDIDATES.join(", ")}`,
    {
      hint: "run midflight as an ordinary user",
    },
  );
};

const readUsers = (): ReadonlyMap<string, Required<Identity>> => {
  const users = new Map<string, Required<Identity>>();
  for (const line of readPasswd().split("\n")) {
    const [name, , uid, gid] = line.split(":");
    if (name !== undefined && Number(uid) > 0 && Number(gid) > 0)
      users.set(name, { name, uid: Number(uid), gid: Number(gid) });
  }
  return users;
};

const readPasswd = (): string => {
  try {
    return readFileSync("/etc/passwd", "utf8");
  } catch {
    return "";
  }
};
