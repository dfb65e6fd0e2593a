import type { Environment, HttpProbe } from "./model.ts";
import type { Path } from "./source/source.ts";

/** Every probe over HTTP of an environment, with its place. */
export const httpProbesIn = ({ regions }: Environment): readonly { readonly probe: HttpProbe; readonly path: Path }[] =>
  Object.entries(regions).flatMap(([region, { probe }]) =>
    probe?.kind === "http" ? [{ probe, path: ["regions", region, "probe", "http"] }] : [],
  );
