// Weight-stationary systolic array. Activations enter on the left, row r one cycle behind row r - 1, and move right. Sums enter
// at the top, column c one cycle behind column c - 1, and move down; what enters is the accumulator's old value, or 0, and
// what leaves the last row is its new one. Weights enter at the top and shift down behind each other, last row first.
//
// All inputs are given unskewed, those of one cycle together; the delays are here.
module mac_array #(
    parameter int ROWS = 16,
    parameter int COLS = 16
) (
    input logic clk,
    // Two sets of weight registers: weights shift into the one, and `swap`, which travels with a pass's first pixel, brings them
    // into use. Otherwise they are in use as they shift in.
    input logic doubleBuffered,

    input logic load,  // a row of weights enters
    input logic loadFirst,  // and it is the first of a pass
    input logic signed [7:0] weightIn[COLS],

    input logic swap,  // with the first pixel of a pass
    input logic signed [8:0] activationIn[ROWS],

    // column c: what its sums start from, c cycles after the pixel's activations were given
    input  logic signed [31:0] sumIn [COLS],
    // and where they have got to, ROWS - 1 cycles later
    output logic signed [31:0] sumOut[COLS]
);
  // --- delays at the edges: row r by r cycles, column c by c cycles ---------------------------------------------------
  logic signed [8:0] activationDelay[ROWS][ROWS];
  logic swapDelay[ROWS];
  logic signed [7:0] weightDelay[COLS][COLS];
  logic loadDelay[COLS], loadFirstDelay[COLS];

  logic signed [8:0] activationEdge[ROWS];
  logic swapEdge[ROWS];
  logic signed [7:0] weightEdge[COLS];
  logic loadEdge[COLS], loadFirstEdge[COLS];

  always_comb begin
    for (int r = 0; r < ROWS; r++) begin
      activationEdge[r] = r == 0 ? activationIn[0] : activationDelay[r][r-1];
      swapEdge[r] = r == 0 ? swap : swapDelay[r-1];
    end
    for (int c = 0; c < COLS; c++) begin
      weightEdge[c] = c == 0 ? weightIn[0] : weightDelay[c][c-1];
      loadEdge[c] = c == 0 ? load : loadDelay[c-1];
      loadFirstEdge[c] = c == 0 ? loadFirst : loadFirstDelay[c-1];
    end
  end

  always_ff @(posedge clk) begin
    for (int r = 0; r < ROWS; r++) begin
      swapDelay[r] <= swapEdge[r];
      for (int d = 0; d < r; d++) activationDelay[r][d] <= d == 0 ? activationIn[r] : activationDelay[r][d-1];
    end
    for (int c = 0; c < COLS; c++) begin
      loadDelay[c] <= loadEdge[c];
      loadFirstDelay[c] <= loadFirstEdge[c];
      for (int d = 0; d < c; d++) weightDelay[c][d] <= d == 0 ? weightIn[c] : weightDelay[c][d-1];
    end
  end

  // --- the processing elements -----------------------------------------------------------------------------------------
  logic signed [7:0] loading[ROWS][COLS];  // weights shifting in
  logic signed [7:0] holding[ROWS][COLS];  // weights in use, when double-buffered
  logic signed [8:0] activation[ROWS][COLS];
  logic swapped[ROWS][COLS];
  logic signed [31:0] sum[ROWS][COLS];
  logic shifted[ROWS][COLS];  // took a weight of this load in the last cycle

  // what an element makes of what enters it in this cycle
  logic signed [8:0] activationHere[ROWS][COLS];
  logic swapHere[ROWS][COLS], shiftHere[ROWS][COLS];
  logic signed [7:0] weightHere[ROWS][COLS], loadingNext[ROWS][COLS];
  logic signed [31:0] sumHere[ROWS][COLS];

  always_comb
    for (int r = 0; r < ROWS; r++)
      for (int c = 0; c < COLS; c++) begin
        activationHere[r][c] = c == 0 ? activationEdge[r] : activation[r][c-1];
        swapHere[r][c] = c == 0 ? swapEdge[r] : swapped[r][c-1];
        weightHere[r][c] = !doubleBuffered || swapHere[r][c] ? loading[r][c] : holding[r][c];
        sumHere[r][c] = (r == 0 ? sumIn[c] : sum[r-1][c]) + 32'(activationHere[r][c] * weightHere[r][c]);
        // Row r begins to shift r cycles after row 0: until then its old weights are still to be swapped or used.
        shiftHere[r][c] = loadEdge[c] && (r == 0 || (!loadFirstEdge[c] && shifted[r-1][c]));
        loadingNext[r][c] = !shiftHere[r][c] ? loading[r][c] : r == 0 ? weightEdge[c] : loading[r-1][c];
      end

  always_ff @(posedge clk) begin
    activation <= activationHere;
    swapped <= swapHere;
    holding <= weightHere;
    sum <= sumHere;
    shifted <= shiftHere;
    loading <= loadingNext;
  end

  // The accumulators take the place of the last row's sum registers.
  always_comb for (int c = 0; c < COLS; c++) sumOut[c] = sumHere[ROWS-1][c];
endmodule
