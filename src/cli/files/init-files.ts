const PLAN = `# yaml-language-server: $schema=./plan.schema.json
midflight: 1
plan: first-upgrade
summary: Gateway 2.0, with its metadata expanded first and contracted last
components:
  orders-db: { migrations: ./migrations }          # NNNN_name.up.sql, .verify.sql, .down.sql; the phase stands in the file's head
  gateway:   { release: gateway@2.0, needs: [orders-db], floor: 100% }
steps:
  - migrate: orders-db                             # additive only: the old release is still served
    phase: expand
  - roll: gateway
    dark: { exclude: 5%, confidence: 99% }         # proof before any user reaches a new instance
    drain: { notice: 3s, deadline: 10s }
    waves:
      - { regions: [tokyo], batch: 1, surge: 1, soak: 20s }
      - { regions: rest, batch: 2, surge: 2, soak: 20s }
guard:
  operations: [order, amend, cancel]
  falseAlarms: 1 per 30 days
  baseline: { atMost: 0.1% }                       # stated, and refused only if what is measured contradicts it
  slowerThan: 250ms
  budget: { failedOperations: 200 }
`;

const ENVIRONMENT = `# yaml-language-server: $schema=./environment.schema.json
midflight: 1
environment: production
class: production                                  # or demo
rehearsedIn: demo
# trusts: [./keys/rehearsal.pub.json]               # production asks for a certificate signed with one of these: midflight keys new
regions:
  tokyo:     { probe: { okx: { rest: http://127.0.0.1:7110, ws: ws://127.0.0.1:7110/ws/v5, accounts: { env: PROBES_TOKYO } } } }
  frankfurt: { probe: { okx: { rest: http://127.0.0.1:7210, ws: ws://127.0.0.1:7210/ws/v5, accounts: { env: PROBES_FRANKFURT } } } }
components:
  orders-db:
    driver: postgres
    url: { env: ORDERS_DB_URL }
    # reference: [{ table: instruments, key: [inst_id] }]   # rows that demo must have alike: midflight parity demo production
  gateway:
    driver: process
    balancer: { tokyo: http://127.0.0.1:7190, frankfurt: http://127.0.0.1:7290 }
    instances: 6                                   # per region
    env: { DATABASE_URL: { env: GATEWAY_DB_URL } }
# releases: { gateway@2.0: { kubernetes: { image: "registry/gateway@sha256:…" } } }        # what a release is here, where releases.yaml does not say it
# rules: { our-api: { extends: okx-v5, codes: { business: ["59001"] } } }   # codes of your own: probes and counters name them with rules: our-api
`;

const DEMO = `# yaml-language-server: $schema=./environment.schema.json
midflight: 1
environment: demo                                  # where plans are rehearsed: midflight rehearse plan.yaml --env demo --for production
class: demo
regions:
  tokyo:     { probe: { okx: { rest: http://127.0.0.1:8110, ws: ws://127.0.0.1:8110/ws/v5, accounts: { env: DEMO_PROBES_TOKYO } } } }
  frankfurt: { probe: { okx: { rest: http://127.0.0.1:8210, ws: ws://127.0.0.1:8210/ws/v5, accounts: { env: DEMO_PROBES_FRANKFURT } } } }
components:
  orders-db:
    driver: postgres
    url: { env: DEMO_ORDERS_DB_URL }
    trials: { sessions: send-away }                # migrations are tried on clones; sessions are ended once while one is made
  gateway:
    driver: process
    balancer: { tokyo: http://127.0.0.1:8190, frankfurt: http://127.0.0.1:8290 }
    instances: 2                                   # may be fewer than in production; the rehearsal says so
    env: { DATABASE_URL: { env: DEMO_GATEWAY_DB_URL } }
# parity: { accept: [{ fact: "orders-db/setting/max_connections", because: a smaller machine, until: 2027-03-01 }] }
`;

const RELEASES = `# yaml-language-server: $schema=./releases.schema.json
midflight: 1
releases:
  # The digest is the sha256 over the sorted (path, mode, bytes) of the folder; \`midflight plan\` says which one it finds.
  gateway@2.0: { process: { digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000", path: ./releases/gateway-2.0, run: [node, main.js] } }
`;

const UP = `-- midflight: phase expand
create table price_bands (inst_id text primary key, lower_pct numeric not null, upper_pct numeric not null);
`;
const VERIFY = `select 1 / (count(*) filter (where table_name = 'price_bands'))::int from information_schema.tables;
`;
const DOWN = `drop table price_bands;
`;

/** What \`midflight init\` writes, by path. */
export const INIT_FILES: Readonly<Record<string, string>> = {
  "plan.yaml": PLAN,
  "production.yaml": ENVIRONMENT,
  "demo.yaml": DEMO,
  "releases.yaml": RELEASES,
  "migrations/0001_price_bands.up.sql": UP,
  "migrations/0001_price_bands.verify.sql": VERIFY,
  "migrations/0001_price_bands.down.sql": DOWN,
};
