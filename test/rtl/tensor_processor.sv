// One tensor processor with its SRAM: MAC array, accumulators, shift unit, pooling unit. Each unit takes instructions from its own
// queue in order, as soon as the semaphores they wait for have been given.
//
// SRAM and accumulators serve every port in every cycle, a read in the cycle of its address.
module tensor_processor
  import tile::*;
#(
    parameter int ROWS = 16,
    parameter int COLS = 16,
    parameter int LANES = 16,
    parameter int LATENCY = 8,
    parameter int SRAM_BYTES = 65536,
    parameter int ACCUMULATOR_ROWS = 4096,
    parameter int QUEUE = 16,
    parameter int SEMAPHORES = 16
) (
    input logic clk,
    input logic reset,
    input logic passOverlap,
    input logic hiddenPreload,

    // fills SRAM between runs
    input logic hostWrite,
    input int hostAddress,
    input logic [31:0] hostWord,

    output logic start[3],  // mac, shift, pool
    output logic done [3]
);
  logic [7:0] sram[SRAM_BYTES];
  logic signed [31:0] accumulators[ACCUMULATOR_ROWS][COLS];

  // Filled before a run. A field of the names below in a trace tells which instruction a unit is at.
  conv_t convs[QUEUE];
  shift_t shifts[QUEUE];
  pool_t pools[QUEUE];
  int queued[3];

  // --- queues and semaphores -----------------------------------------------------------------------------------------------
  int started[3], finished[3];
  int given[SEMAPHORES];
  logic ready[3];
  sync_t atStart[3], atEnd[3];

  always_comb begin
    atStart = '{convs[started[0]%QUEUE].sync, shifts[started[1]%QUEUE].sync, pools[started[2]%QUEUE].sync};
    atEnd = '{convs[finished[0]%QUEUE].sync, shifts[finished[1]%QUEUE].sync, pools[finished[2]%QUEUE].sync};
    for (int u = 0; u < 3; u++) begin
      ready[u] = !reset && started[u] < queued[u];
      for (int s = 0; s < SEMAPHORES; s++) if (atStart[u].waits[s] && given[s] == 0) ready[u] = 0;
    end
  end

  always_ff @(posedge clk) begin
    for (int u = 0; u < 3; u++) begin
      started[u] <= reset ? 0 : started[u] + (start[u] ? 1 : 0);
      finished[u] <= reset ? 0 : finished[u] + (done[u] ? 1 : 0);
    end
    for (int s = 0; s < SEMAPHORES; s++) begin
      automatic int count = given[s];
      for (int u = 0; u < 3; u++) begin
        if (done[u] && atEnd[u].signals[s]) count++;
        if (start[u] && atStart[u].waits[s]) count--;
      end
      given[s] <= reset ? 0 : count;
    end
  end

  // --- MAC array -------------------------------------------------------------------------------------------------------------
  int activationAddress[ROWS], weightAddress;
  logic [7:0] activationByte[ROWS], weightByte[COLS];
  int macReadRow[COLS], macWriteRow[COLS];
  logic macWriteEnable[COLS];
  logic signed [31:0] macReadValue[COLS], macWriteValue[COLS];

  mac_unit #(ROWS, COLS) mac_unit (
      .next(convs[started[0]%QUEUE]),
      .ready(ready[0]),
      .start(start[0]),
      .done(done[0]),
      .readRow(macReadRow),
      .readValue(macReadValue),
      .writeEnable(macWriteEnable),
      .writeRow(macWriteRow),
      .writeValue(macWriteValue),
      .*
  );

  always_comb begin
    for (int r = 0; r < ROWS; r++) activationByte[r] = sram[activationAddress[r]];
    for (int c = 0; c < COLS; c++) weightByte[c] = sram[weightAddress+c];
    for (int c = 0; c < COLS; c++) macReadValue[c] = accumulators[macReadRow[c]][c];
  end

  always_ff @(posedge clk)
    for (int c = 0; c < COLS; c++) if (macWriteEnable[c]) accumulators[macWriteRow[c]][c] <= macWriteValue[c];

  // --- shift unit --------------------------------------------------------------------------------------------------------------
  int shiftReadRow, firstColumn, tableAddress[LANES], shiftWriteAddress[LANES];
  logic signed [31:0] accumulator[LANES], shiftWriteValue[LANES];
  logic [31:0] tableEntry[LANES];
  logic shiftWriteEnable[LANES], shiftWriteWide;

  shift_unit #(COLS, LANES, LATENCY) shift_unit (
      .next(shifts[started[1]%QUEUE]),
      .ready(ready[1]),
      .start(start[1]),
      .done(done[1]),
      .readRow(shiftReadRow),
      .writeEnable(shiftWriteEnable),
      .writeWide(shiftWriteWide),
      .writeAddress(shiftWriteAddress),
      .writeValue(shiftWriteValue),
      .*
  );

  always_comb
    for (int l = 0; l < LANES; l++) begin
      accumulator[l] = accumulators[shiftReadRow][(firstColumn+l)%COLS];
      for (int b = 0; b < 4; b++) tableEntry[l][8*b+:8] = sram[tableAddress[l]+b];
    end

  // --- pooling unit ------------------------------------------------------------------------------------------------------------
  int poolReadAddress[LANES], poolWriteAddress[LANES];
  logic [7:0] poolReadByte[LANES], poolWriteByte[LANES];
  logic poolWriteEnable[LANES];

  pool_unit #(LANES, LATENCY) pool_unit (
      .next(pools[started[2]%QUEUE]),
      .ready(ready[2]),
      .start(start[2]),
      .done(done[2]),
      .readAddress(poolReadAddress),
      .readByte(poolReadByte),
      .writeEnable(poolWriteEnable),
      .writeAddress(poolWriteAddress),
      .writeByte(poolWriteByte),
      .*
  );

  always_comb for (int l = 0; l < LANES; l++) poolReadByte[l] = sram[poolReadAddress[l]];

  // --- SRAM writes -------------------------------------------------------------------------------------------------------------
  always_ff @(posedge clk) begin
    for (int l = 0; l < LANES; l++) begin
      if (shiftWriteEnable[l])
        for (int b = 0; b < 4; b++)
          if (b == 0 || shiftWriteWide) sram[shiftWriteAddress[l]+b] <= shiftWriteValue[l][8*b+:8];
      if (poolWriteEnable[l]) sram[poolWriteAddress[l]] <= poolWriteByte[l];
    end
    if (hostWrite) for (int b = 0; b < 4; b++) sram[hostAddress+b] <= hostWord[8*b+:8];
  end
endmodule
