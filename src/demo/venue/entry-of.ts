import { fileURLToPath } from "node:url";

const SOURCES = { engine: "./engine/main.ts", balancer: "./balancer/main.ts", traffic: "../traffic/main.ts", guardian: "./guardian-main.ts" } as const;

/** The script of one of the venue's processes: TypeScript in a checkout that runs from source, the bundle otherwise. */
export function entryOf(name: keyof typeof SOURCES): string {
  const isSource = import.meta.url.endsWith(".ts");
  return fileURLToPath(isSource ? new URL(SOURCES[name], import.meta.url) : new URL(`../venue/${name}.js`, distUrl()));
}

/** Chunks lie in dist/chunks, entries in dist/cli: both one folder below dist. */
const distUrl = (): URL => new URL("./", import.meta.url);
