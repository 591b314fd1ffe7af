/** Rules of the SystemVerilog model put wrong, one at a time: the comparison must notice each. */
export interface Fault {
  readonly what: string;
  /** File without ending, and an expression that stands in it once, with what takes its place. */
  readonly source: string;
  readonly find: string;
  readonly replacement: string;
}

const fault = (what: string, source: string, find: string, replacement: string): Fault => ({
  what,
  source,
  find,
  replacement,
});

export const FAULTS: readonly Fault[] = [
  fault(
    "new weights shift over those not yet in use",
    "mac_array",
    "(!loadFirstEdge[c] && shifted[r-1][c])",
    "shifted[r-1][c]",
  ),
  fault("weights come into use a pixel late", "mac_array", "!doubleBuffered || swapHere[r][c]", "swapped[r][c]"),
  fault(
    "rows from 2 on get their pixels a cycle early",
    "mac_array",
    "activationDelay[r][r-1]",
    "activationDelay[r][r<2?0:r-2]",
  ),
  fault("the second set of weights is free a cycle late", "mac_unit", "!waiting || streamBegins", "!waiting"),
  fault(
    "weights change while pixels stream",
    "mac_unit",
    "!waiting && !streamRunning && drained",
    "!waiting && drained",
  ),
  fault("a pass does not wait for the sums before it", "mac_unit", "delayed[d].valid && !passOverlap", "1'b0"),
  fault("`add` sets", "mac_unit", "pass.conv.add != 0", "1'b0"),
  fault("only the first pass of a tap counts", "mac_unit", "pass.first > 0", "1'b0"),
  fault("sums go to the pixel behind", "mac_unit", "tokens[c+ROWS-1].row", "tokens[c+ROWS-2].row"),
  fault(
    "the last column's last sum is not waited for",
    "mac_unit",
    "tokens[DEPTH-1].valid && tokens[DEPTH-1].last",
    "tokens[DEPTH-2].valid && tokens[DEPTH-2].last",
  ),
  fault("a column of padding is read", "mac_unit", "inX < pass.conv.width", "inX <= pass.conv.width"),
  fault("u8 is taken for i8", "mac_unit", "pass.conv.isUnsigned == 0", "1'b1"),
  fault("a column sees all groups", "mac_unit", "outChannel / loadPass.conv.groupOut == group", "1'b1"),
  fault("right shifts round down", "shift_unit", "(64'sd1 <<< (amount - 8'sd1))", "64'sd0"),
  fault(
    "half is rounded down",
    "shift_unit",
    "(64'sd1 <<< (amount - 8'sd1))",
    "(64'sd1 <<< (amount - 8'sd1)) - 64'sd1",
  ),
  fault("sums above int32 wrap", "shift_unit", "value > 64'sd2147483647", "1'b0"),
  fault("the bias is aligned the wrong way", "shift_unit", "-biasShift1[l]", "biasShift1[l]"),
  fault("slopeB = 0 counts", "shift_unit", "shift.slopeB > 0", "1'b1"),
  fault("no lower clamp", "shift_unit", "writeValue[l] < out.shift.low", "1'b0"),
  fault("lanes read past their accumulator row", "shift_unit", "minimum(LANES, COLS - firstColumn)", "LANES"),
  fault("max pooling sees zeros outside", "pool_unit", "pool.mode != MAX || pool.isUnsigned != 0", "1'b1"),
  fault("averages round down", "pool_unit", "(48'sd1 <<< (places(token[3].divisor) - 1))", "48'sd0"),
  fault("averages count what lies outside", "pool_unit", "pool.mode == AVERAGE", "1'b0"),
];
