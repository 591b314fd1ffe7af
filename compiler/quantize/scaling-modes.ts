/** When exponents of activations are chosen, and from what (docs/arithmetic.md, section 8). */
export const SCALING_MODES = ["static", "calibrated", "dynamic", "delayed"] as const;
export type ScalingMode = (typeof SCALING_MODES)[number];
