import { fileURLToPath } from "node:url";

/** What lies beside src/ in a checkout and beside dist/ in a package: two folders up from here, and from a chunk of the bundle. */
export const shippedPlans = (): string => fileURLToPath(new URL("../../plans", import.meta.url));

/** The script that this process was started by, for a later one like it. */
export const ownScript = (): string =>
  fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./main.ts" : "../cli/main.js", import.meta.url));
