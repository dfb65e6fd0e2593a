import type { RunOrder, Runner } from "../../src/ports/runner.ts";

/** Runs nothing; remembers what it was told, and answers as a test says. */
export type FakeRunner = Runner & {
  readonly orders: readonly RunOrder[];
  /** The next program fails like this. */
  fail(error: Error): void;
  /** What programs print from now on. */
  print(output: string): void;
};

export const fakeRunner = (): FakeRunner => {
  const orders: RunOrder[] = [];
  const failures: Error[] = [];
  let printed = "";
  return {
    orders,
    fail: (error) => void failures.push(error),
    print(output) {
      printed = output;
    },
    async run(order, signal) {
      signal.throwIfAborted();
      orders.push(order);
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return { output: printed, ms: 0 };
    },
  };
};
