import { UpgradeError } from "../../errors/upgrade-error.ts";

/** What the command line says of certificates. */
export type Permit =
  | { readonly kind: "certificate"; /** Default: the newest that fits. */ readonly file?: string }
  | { readonly kind: "override"; readonly because: string };

export type PermitOptions = {
  readonly certificate?: string;
  readonly withoutCertificate?: boolean;
  readonly because?: string;
};

const MOST_CHARACTERS = 500;

/** Both halves of an override or none. Throws `USAGE`. */
export function permitOf(options: PermitOptions): Permit {
  if (options.withoutCertificate !== true) {
    if (options.because === undefined)
      return { kind: "certificate", ...(options.certificate === undefined ? {} : { file: options.certificate }) };
    throw usage(
      "--because alone overrides nothing",
      'to go without a certificate: --without-certificate --because "…"',
    );
  }
  if (options.certificate !== undefined)
    throw usage("--certificate and --without-certificate exclude each other", "leave one of them out");
  const because = oneLine(options.because ?? "");
  if (!/[\p{L}\p{N}]/u.test(because))
    throw usage(
      "who goes without a certificate says why",
      'add the reason, which is journaled, reported and sent to everybody who is notified: --because "…"',
    );
  if (because.length > MOST_CHARACTERS)
    throw usage(`the reason has ${because.length} characters`, `say it in ${MOST_CHARACTERS}, and the rest elsewhere`);
  return { kind: "override", because };
}

/** It is read in pagers, terminals and tables. */
const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ").trim();

const usage = (what: string, hint: string): UpgradeError => new UpgradeError("USAGE", what, { hint });
