import { fileURLToPath } from "node:url";

const SOURCES = { engine: "./engine/main.ts", balancer: "./balancer/main.ts", traffic: "../traffic/main.ts" } as const;

/** The script of one of the venue's processes: TypeScript where midflight runs from source, otherwise the bundle, one folder beside the chunk that this is in. */
export const entryOf = (name: keyof typeof SOURCES): string =>
  fileURLToPath(
    import.meta.url.endsWith(".ts")
      ? new URL(SOURCES[name], import.meta.url)
      : new URL(`../venue/${name}.js`, import.meta.url),
  );
