/** Pictures of the user's that exponents are chosen by, instead of synthetic photographs. */
import type { Preprocess } from "../../isa/index.ts";

export interface Calibration {
  /** How many. */
  readonly pictures: number;
  /** SHA-256 over all of them. */
  readonly sha256: string;
  /** The network's real-valued input [H, W, C] for picture `index`, preprocessed as when the network is used. */
  input(index: number, preprocess: Preprocess): Float32Array;
}
