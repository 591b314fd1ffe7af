/** The version of this package, for provenance; a test compares it with package.json. */
export const RAPSIM_VERSION = "0.1.0";
