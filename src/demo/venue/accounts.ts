import { createHmac } from "node:crypto";

/** The two trading environments of the venue. A key works in its own only. */
export type VenueEnv = "production" | "demo";

/** A user of the venue with the credentials that its clients send. */
export type Account = {
  readonly uid: string;
  readonly apiKey: string;
  readonly secret: string;
  readonly passphrase: string;
  /** Users who can fail together: `shard-0` … `shard-9`. */
  readonly cohort: string;
};

/** Ordinary users: "1000" … "1199". */
export const USER_UIDS: readonly string[] = range(1000, 200);

/** Probe accounts by region. */
export const PROBE_UIDS: Readonly<Record<"tokyo" | "frankfurt", readonly string[]>> = {
  tokyo: range(9000, 10),
  frankfurt: range(9010, 10),
};

/** Everyone who has a key. */
export const ALL_UIDS: readonly string[] = [...USER_UIDS, ...PROBE_UIDS.tokyo, ...PROBE_UIDS.frankfurt];

/**
 * The account of a uid. Derived from the seed alone, so that every process of the venue and of its users
 * computes the same keys and nobody has to hand them around.
 */
export const accountOf = (uid: string, env: VenueEnv, keySeed: string): Account => {
  const derive = (what: string): Buffer => createHmac("sha256", keySeed).update(`${env}/${uid}/${what}`).digest();
  return {
    uid,
    apiKey: uuidOf(derive("key")),
    secret: derive("secret").toString("hex").slice(0, 32).toUpperCase(),
    passphrase: `P${derive("passphrase").toString("hex").slice(0, 15)}`,
    cohort: cohortOf(uid),
  };
};

/** The cohort of a uid: its account shard. */
export const cohortOf = (uid: string): string => `shard-${Number(uid) % 10}`;

function range(first: number, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String(first + index));
}

const uuidOf = (bytes: Buffer): string =>
  bytes
    .toString("hex")
    .slice(0, 32)
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
