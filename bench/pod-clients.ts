import { Agent, request } from "node:http";
import { createInterface } from "node:readline";

// Clients with kept connections, in a process of their own: so many orders a second, whatever comes back. Configured by CLIENTS, ended by a line or the
// end of standard input; prints a line when the first order was answered, and what became of all of them at the end.

export type ClientsOptions = {
  readonly url: string;
  readonly ratePerSec: number;
  /** Each keeps one connection. */
  readonly clients: number;
  /** Share of the orders after which a client takes a new connection. */
  readonly renewedShare: number;
};

/** An order that did not get through: no answer at all, or a refusal. Times of issue, ms since the epoch. */
export type Missed = { readonly at: number; readonly kind: "lost" | "failed"; readonly why: string };

export type ClientsSummary = {
  readonly sent: number;
  readonly missed: readonly Missed[];
  /** How often an order was due and every client busy. */
  readonly late: number;
  readonly from: number;
  readonly to: number;
};

const LIMIT_MS = 2_000;
const TICK_MS = 2;

type Client = { agent: Agent; isBusy: boolean };

const options = JSON.parse(process.env["CLIENTS"] ?? "{}") as ClientsOptions;
const clients: readonly Client[] = Array.from({ length: options.clients }, () => ({
  agent: new Agent({ keepAlive: true, maxSockets: 1 }),
  isBusy: false,
}));
const missed: Missed[] = [];
let [sent, late, turn] = [0, 0, 0];
let isAnswered = false;
const from = Date.now();
const since = performance.now();

const next = (): Client | undefined => {
  for (let tried = 0; tried < clients.length; tried += 1) {
    turn = (turn + 1) % clients.length;
    const client = clients[turn];
    if (client?.isBusy === false) return client;
  }
  return undefined;
};

function send(client: Client): void {
  const at = Date.now();
  let isOver = false;
  const end = (miss?: Omit<Missed, "at">): void => {
    if (isOver) return;
    isOver = true;
    client.isBusy = false;
    if (miss !== undefined) missed.push({ at, ...miss });
    else if (!isAnswered) {
      isAnswered = true;
      process.stdout.write("answered\n");
    }
  };
  sent += 1;
  client.isBusy = true;
  const isLast = Math.random() < options.renewedShare;
  const order = request(
    `${options.url}/order`,
    { method: "POST", agent: client.agent, timeout: LIMIT_MS, headers: isLast ? { connection: "close" } : {} },
    (answer) => {
      answer.resume();
      answer.once("error", (error) => end({ kind: "lost", why: error.message }));
      answer.once("end", () =>
        end(
          answer.statusCode === 200
            ? undefined
            : { kind: "failed", why: `${answer.statusCode} of ${String(answer.headers["x-release"] ?? "nobody")}` },
        ),
      );
    },
  );
  order.once("timeout", () => order.destroy(new Error(`no answer within ${LIMIT_MS} ms`)));
  order.once("error", (error: NodeJS.ErrnoException) => end({ kind: "lost", why: error.code ?? error.message }));
  order.end();
}

const ticking = setInterval(() => {
  const due = Math.floor(((performance.now() - since) * options.ratePerSec) / 1_000) - sent;
  for (let count = 0; count < due; count += 1) {
    const client = next();
    if (client === undefined) {
      late += 1;
      return;
    }
    send(client);
  }
}, TICK_MS);

let isStopping = false;
const stop = (): void => {
  if (isStopping) return;
  isStopping = true;
  clearInterval(ticking);
  const end = performance.now() + LIMIT_MS + 500;
  const leave = (): void => {
    if (clients.some(({ isBusy }) => isBusy) && performance.now() < end) return void setTimeout(leave, 10);
    const summary: ClientsSummary = { sent, missed, late, from, to: Date.now() };
    process.stdout.write(`${JSON.stringify(summary)}\n`, () => process.exit(0));
  };
  leave();
};
const commands = createInterface({ input: process.stdin });
commands.on("line", stop);
commands.on("close", stop);
