/** The same keys with other values. Without a prototype: a component may be called `constructor`, and one that nobody named is not there. */
export const mapValues = <From, To>(
  record: Readonly<Record<string, From>>,
  map: (value: From) => To,
): Readonly<Record<string, To>> =>
  Object.assign(
    Object.create(null) as Record<string, To>,
    Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)])),
  );
