import { startPostgres } from "./postgres.ts";
import type { Postgres, PostgresOptions } from "./postgres.ts";
import { seedMetadata } from "./seed.ts";

/** Starts a PostgreSQL that holds the venue's metadata as release 1.0 reads it. Rejects as `startPostgres` does. */
export const openMetadata = async (options: PostgresOptions): Promise<Postgres> => {
  const postgres = await startPostgres(options);
  try {
    await seedMetadata(postgres.ownerUrl);
    return postgres;
  } catch (error) {
    await postgres.stop();
    throw error;
  }
};
