import fc from "fast-check";

/**
 * Properties are tried on the same cases at every run, so that one that fails, fails for everybody. `PROPERTY_SEED=N npm test` tries others;
 * a case that fails is printed with its seed.
 */
fc.configureGlobal({ seed: Number(process.env["PROPERTY_SEED"] ?? 20_230_814) });
