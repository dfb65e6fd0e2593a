import { UpgradeError } from "../../errors/upgrade-error.ts";

export type DemoOptions = {
  readonly story?: string;
  readonly seed?: string;
  readonly rate?: string;
  readonly rehearsal?: boolean;
  readonly dir?: string;
  readonly portBase?: string;
  readonly instances?: string;
  readonly json?: boolean;
  readonly output?: string;
};

/** Throws `USAGE` unless it is a whole number from 1 to `most`. */
export function number(text: string | undefined, option: string, otherwise: number, most = 1_000_000): number {
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > most)
    throw new UpgradeError("USAGE", `${option} ${text} is no whole number from 1 to ${most}`, {
      hint: `such as ${option} ${otherwise}`,
    });
  return value;
}

/** Everything of the venue has to fit above it. */
const HIGHEST_PORT = 65_535 - 190;

export const portBaseOf = (options: DemoOptions): { readonly portBase?: number } =>
  options.portBase === undefined ? {} : { portBase: number(options.portBase, "--port-base", 7100, HIGHEST_PORT) };
