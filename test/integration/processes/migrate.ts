import { postgresMetadata } from "../../../src/adapters/postgres/metadata.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";

// A conductor of its own, to be killed or frozen: migrates up what it is told, and says when it is done.
const { url, migrations, budgets } = JSON.parse(process.argv[2] ?? "{}");
const names = migrations.map((one: { readonly name: string }) => one.name);
const store = postgresMetadata({ url, clock: systemClock, budgets });
await store.migrate({ direction: "up", names, migrations }, { epoch: 1, seq: 1 }, new AbortController().signal);
process.stdout.write("done\n");
