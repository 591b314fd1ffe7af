// Property tests try the same cases every time, so that what fails is what was changed; RAPSIM_SEED=2 tries others.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.RAPSIM_SEED ?? 1) });
