// Executes `shift` tiles: accumulators to results (docs/arithmetic.md, section 4). In each cycle LANES channels of one pixel enter,
// or as many as are left of its accumulator row; LATENCY cycles later their results are written.
module shift_unit
  import tile::*;
#(
    parameter int COLS = 16,
    parameter int LANES = 16,
    parameter int LATENCY = 8  // at least 5
) (
    input logic clk,
    input logic reset,

    input  shift_t next,
    input  logic   ready,
    output logic   start,
    output logic   done,

    // reads of this cycle: lane l takes column firstColumn + l of an accumulator row and 4 bytes at tableAddress[l]
    output int readRow,
    output int firstColumn,
    input logic signed [31:0] accumulator[LANES],
    output int tableAddress[LANES],
    input logic [31:0] tableEntry[LANES],

    // SRAM writes: byte l, or 4 bytes from there when wide
    output logic writeEnable[LANES],
    output logic writeWide,
    output int writeAddress[LANES],
    output logic signed [31:0] writeValue[LANES]
);
  function automatic logic signed [31:0] saturate(logic signed [63:0] value);
    if (value > 64'sd2147483647) return 32'sh7fffffff;
    if (value < -64'sd2147483648) return 32'sh80000000;
    return 32'(value);
  endfunction

  // To the right, half is rounded up; to the left it saturates.
  function automatic logic signed [31:0] roundShift(logic signed [31:0] value, logic signed [7:0] amount);
    logic signed [63:0] wide = 64'(value);
    if (amount > 0) return 32'((wide + (64'sd1 <<< (amount - 8'sd1))) >>> amount);
    return saturate(wide <<< -amount);
  endfunction

  function automatic logic signed [31:0] leakyRelu(logic signed [31:0] value, shift_t shift);
    if (shift.leaky == 0 || shift.isWide != 0 || value >= 0) return value;
    return roundShift(value, 8'(shift.slopeA)) + (shift.slopeB > 0 ? roundShift(value, 8'(shift.slopeB)) : 0);
  endfunction

  // --- which values enter ----------------------------------------------------------------------------------------------
  shift_t current, shift;
  logic running, enter, last;
  int atY, atX, atC, y, x, c, count;

  always_comb begin
    start = !running && ready;
    enter = start || running;
    shift = start ? next : current;
    y = start ? shift.box.y0 : atY;
    x = start ? shift.box.x0 : atX;
    c = start ? shift.box.c0 : atC;

    readRow = accumulatorRow(shift.accRow, shift.whole, y, x, c, COLS);
    firstColumn = (c - shift.whole.c0) % COLS;
    count = minimum(minimum(LANES, COLS - firstColumn), shift.box.c1 - c);
    last = c + count == shift.box.c1 && x + 1 == shift.box.x1 && y + 1 == shift.box.y1;
    for (int l = 0; l < LANES; l++) tableAddress[l] = viewAddress(shift.tbl, 0, c + l, 0);
  end

  always_ff @(posedge clk) begin
    if (start) current <= next;
    running <= enter && !last;
    atC <= c + count;
    atX <= x;
    atY <= y;
    if (c + count == shift.box.c1) begin
      atC <= shift.box.c0;
      atX <= x + 1;
      if (x + 1 == shift.box.x1) begin
        atX <= shift.box.x0;
        atY <= y + 1;
      end
    end
    if (reset) running <= 0;
  end

  // --- the lanes, one rule in each stage ---------------------------------------------------------------------------------
  typedef struct packed {
    logic valid, last;
    int count, address;
    shift_t shift;
  } token_t;
  token_t token[LATENCY+1];  // [s]: of what entered s cycles ago

  logic signed [31:0] value[LATENCY+1][LANES];
  logic signed [7:0] bias1[LANES], biasShift1[LANES], amount1[LANES], amount2[LANES], amount3[LANES], amount4[LANES];
  logic signed [31:0] bias2[LANES];

  always_comb begin
    automatic int bytes = shift.isWide != 0 ? 4 : 1;
    automatic int firstByte = (c + shift.channelOffset - shift.dst.c0) * bytes;
    token[0] = token_t'{
        valid: enter, last: last, count: count, address: viewAddress(shift.dst, y, x, firstByte), shift: shift
    };
  end

  always_ff @(posedge clk) begin
    for (int s = 1; s <= LATENCY; s++) begin
      token[s] <= token[s-1];
      if (reset) token[s].valid <= 0;
    end
    for (int l = 0; l < LANES; l++) begin
      {amount1[l], biasShift1[l], bias1[l]} <= tableEntry[l][23:0];
      value[1][l] <= accumulator[l];

      bias2[l] <= roundShift(32'(bias1[l]), -biasShift1[l]);
      amount2[l] <= amount1[l];
      value[2][l] <= value[1][l];

      amount3[l] <= amount2[l];
      value[3][l] <= saturate(64'(value[2][l]) + 64'(bias2[l]));

      amount4[l] <= amount3[l];
      value[4][l] <= leakyRelu(value[3][l], token[3].shift);

      value[5][l] <= token[4].shift.isWide != 0 ? value[4][l] : roundShift(value[4][l], amount4[l]);

      for (int s = 6; s <= LATENCY; s++) value[s][l] <= value[s-1][l];
    end
  end

  // --- the clamp, and out --------------------------------------------------------------------------------------------------
  token_t out;
  always_comb begin
    out = token[LATENCY];
    done = out.valid && out.last;
    writeWide = out.shift.isWide != 0;
    for (int l = 0; l < LANES; l++) begin
      writeEnable[l] = out.valid && l < out.count;
      writeAddress[l] = out.address + (writeWide ? 4 * l : l);
      writeValue[l] = value[LATENCY][l];
      if (!writeWide && writeValue[l] > out.shift.high) writeValue[l] = out.shift.high;
      if (!writeWide && writeValue[l] < out.shift.low) writeValue[l] = out.shift.low;
    end
  end
endmodule
