import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { OWNER, startPostgres } from "../../src/demo/venue/metadata/postgres.ts";

/** A real PostgreSQL for the tests of one file, with as many empty databases as they want. */
export type TestServer = {
  readonly superUrl: string;
  /** The role of the venue's gateways. */
  readonly gatewayUrl: string;
  /** A new empty database, by its owner's URL. */
  database(): Promise<string>;
  /** One session, closed with the server. As its owner, unless `url` says otherwise. */
  session(url: string): Promise<Client>;
  stop(): Promise<void>;
};

export const startTestServer = async (): Promise<TestServer> => {
  const dir = await mkdtemp(join(tmpdir(), "midflight-postgres-test-"));
  const postgres = await startPostgres({ dir });
  const sessions: Client[] = [];
  let databases = 0;
  const session = async (url: string): Promise<Client> => {
    const client = new Client({ connectionString: url });
    // A test may kill it.
    client.on("error", () => undefined);
    await client.connect();
    sessions.push(client);
    return client;
  };
  return {
    superUrl: postgres.superUrl,
    gatewayUrl: postgres.gatewayUrl,
    session,
    async database() {
      databases += 1;
      const name = `test_${databases}`;
      const admin = await session(postgres.superUrl);
      await admin.query(`create database ${name} owner ${OWNER} strategy file_copy`);
      await admin.query(`grant all on database ${name} to ${OWNER}`);
      const url = new URL(postgres.ownerUrl);
      url.pathname = `/${name}`;
      return url.href;
    },
    async stop() {
      await Promise.all(sessions.map((client) => client.end().catch(() => undefined)));
      await postgres.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
};
