import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** What users run: the built command line. */
export const MIDFLIGHT = fileURLToPath(new URL("../bin/midflight.js", import.meta.url));

export const SHIPPED_PLANS = fileURLToPath(new URL("../plans", import.meta.url));
