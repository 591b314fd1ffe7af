// Executes `pool` tiles (docs/arithmetic.md, section 6). In each cycle one tap of a window enters, for LANES channels of one pixel
// or as many as are left; LATENCY cycles after a window's last tap its results are written.
module pool_unit
  import tile::*;
#(
    parameter int LANES = 16,
    parameter int LATENCY = 8  // at least 4
) (
    input logic clk,
    input logic reset,

    input  pool_t next,
    input  logic  ready,
    output logic  start,
    output logic  done,

    // SRAM: one byte for each lane
    output int readAddress[LANES],
    input logic [7:0] readByte[LANES],
    output logic writeEnable[LANES],
    output int writeAddress[LANES],
    output logic [7:0] writeByte[LANES]
);
  // --- which tap enters --------------------------------------------------------------------------------------------------
  pool_t current, pool;
  logic running, enter, firstTap, lastTap, last, isInside;
  int atY, atX, atC, atTap, y, x, c, tap, count, inY, inX;
  int insideBefore, insideSoFar;  // taps of the window inside the tensor

  always_comb begin
    start = !running && ready;
    enter = start || running;
    pool = start ? next : current;
    y = start ? pool.box.y0 : atY;
    x = start ? pool.box.x0 : atX;
    c = start ? pool.box.c0 : atC;
    tap = start ? 0 : atTap;

    inY = y * pool.strideY + tap / pool.kernelX - pool.padTop;
    inX = x * pool.strideX + tap % pool.kernelX - pool.padLeft;
    isInside = inY >= 0 && inY < pool.height && inX >= 0 && inX < pool.width;
    for (int l = 0; l < LANES; l++) readAddress[l] = viewAddress(pool.src, inY, inX, c + l - pool.src.c0);

    count = minimum(LANES, pool.box.c1 - c);
    firstTap = tap == 0;
    lastTap = tap + 1 == pool.kernelY * pool.kernelX;
    last = lastTap && c + count == pool.box.c1 && x + 1 == pool.box.x1 && y + 1 == pool.box.y1;
    insideSoFar = (firstTap ? 0 : insideBefore) + (isInside ? 1 : 0);
  end

  always_ff @(posedge clk) begin
    if (start) current <= next;
    running <= enter && !last;
    insideBefore <= insideSoFar;
    atTap <= lastTap ? 0 : tap + 1;
    atC <= c;
    atX <= x;
    atY <= y;
    if (lastTap) begin
      atC <= c + count;
      if (c + count == pool.box.c1) begin
        atC <= pool.box.c0;
        atX <= x + 1;
        if (x + 1 == pool.box.x1) begin
          atX <= pool.box.x0;
          atY <= y + 1;
        end
      end
    end
    if (reset) running <= 0;
  end

  // --- the lanes -----------------------------------------------------------------------------------------------------------
  typedef struct packed {
    logic valid, firstTap, lastTap, last, isInside;
    int count, address, divisor, mode, isUnsigned;
  } token_t;
  token_t token[LATENCY+1];  // [s]: of what entered s cycles ago

  always_comb
    token[0] = token_t'{
        valid: enter,
        firstTap: firstTap,
        lastTap: lastTap,
        last: last,
        isInside: isInside,
        count: count,
        address: viewAddress(pool.dst, y, x, c + pool.channelOffset - pool.dst.c0),
        divisor: pool.mode == AVERAGE ? insideSoFar : pool.kernelY * pool.kernelX,
        mode: pool.mode,
        isUnsigned: pool.isUnsigned
    };

  // 1 / n as factor / 2^places; a real unit reads it from a table.
  function automatic int places(int n);
    return 15 + $clog2(n + 1) - 1;
  endfunction
  function automatic logic signed [47:0] factor(int n);
    return ((48'sd1 <<< (places(n) + 1)) / 48'(n) + 48'sd1) >>> 1;
  endfunction

  logic signed [31:0] element[LANES];  // stage 1: the byte as a number
  logic signed [31:0] soFar[LANES];  // stage 2: largest element or sum of the window
  logic signed [47:0] scaled[LANES];  // stage 3: sum times factor
  logic signed [31:0] value[LATENCY+1][LANES];  // from stage 4 on: the result

  always_ff @(posedge clk) begin
    for (int s = 1; s <= LATENCY; s++) begin
      token[s] <= token[s-1];
      if (reset) token[s].valid <= 0;
    end
    for (int l = 0; l < LANES; l++) begin
      element[l] <= 32'(signed'({pool.isUnsigned == 0 && readByte[l][7], readByte[l]}));
      if (!isInside) element[l] <= pool.mode != MAX || pool.isUnsigned != 0 ? 0 : -128;

      if (token[1].firstTap) soFar[l] <= element[l];
      else if (token[1].mode != MAX) soFar[l] <= soFar[l] + element[l];
      else if (element[l] > soFar[l]) soFar[l] <= element[l];

      scaled[l] <= token[2].mode == MAX ? 48'(soFar[l]) : 48'(soFar[l]) * factor(token[2].divisor);

      value[4][l] <= 32'(scaled[l]);
      if (token[3].mode != MAX)
        value[4][l] <= 32'((scaled[l] + (48'sd1 <<< (places(token[3].divisor) - 1))) >>> places(token[3].divisor));

      for (int s = 5; s <= LATENCY; s++) value[s][l] <= value[s-1][l];
    end
  end

  token_t out;
  always_comb begin
    out = token[LATENCY];
    done = out.valid && out.last;
    for (int l = 0; l < LANES; l++) begin
      writeEnable[l] = out.valid && out.lastTap && l < out.count;
      writeAddress[l] = out.address + l;
      writeByte[l] = value[LATENCY][l][7:0];
    end
  end
endmodule
