/** What let a run into production: proof, or somebody's word. An environment that asks for no certificate gives none. */
export type Clearance =
  | {
      readonly kind: "certificate";
      /** Of the certificate's file, 64 hex digits. A copy lies in the run's folder. */
      readonly sha256: string;
      /** Name and id of the key that signed it. */
      readonly key: string;
      readonly keyId: string;
      /** `user@host` that it says it was signed at. */
      readonly signer: string;
      readonly validUntil: string;
      /** Who may not approve a step, because they signed. */
      readonly notBy?: readonly string[];
    }
  | { readonly kind: "override"; readonly because: string; readonly by: string };

/** One sentence for pagers, reports and lists. */
export function clearanceText(clearance: Clearance): string {
  switch (clearance.kind) {
    case "certificate":
      return `with certificate ${clearance.sha256.slice(0, 12)}, signed by ${clearance.signer} with key ${clearance.key}`;
    case "override":
      return `WITHOUT A CERTIFICATE, by ${clearance.by}, because: ${clearance.because}`;
  }
}

/** Whether this person may approve a step of the run. Names are compared as people read them. */
export const mayApprove = (clearance: Clearance | undefined, by: string): boolean =>
  clearance?.kind !== "certificate" ||
  !(clearance.notBy ?? []).some((one) => one.toLowerCase() === by.trim().toLowerCase());
