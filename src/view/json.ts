import { STREAM_VERSION, type RunEvent } from "../events/event.ts";

/** The first line of every stream. */
export const versionLine = (midflight: string): string =>
  JSON.stringify({ kind: "version", ui: STREAM_VERSION, midflight, message: `midflight ${midflight}` });

export const jsonOf = (event: RunEvent): string => JSON.stringify(event);
