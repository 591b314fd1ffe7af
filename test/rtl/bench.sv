// Runs tiles from a file: SRAM images and instructions in, start and end of each instruction, SRAM and accumulators out.
//
// Input, for each tile: passOverlap hiddenPreload | words of SRAM, and these in hexadecimal | for mac, shift and pool: number of
// instructions, and each one's fields in the order of tile.sv. Output, for each tile: a line `start end` per instruction, mac
// first, in cycles from the first start; a line of SRAM words; a line of accumulators, row by row.
module bench;
  import tile::*;
  parameter int ROWS = 16;
  parameter int COLS = 16;
  parameter int LANES = 16;
  parameter int LATENCY = 8;
  localparam int QUEUE = 16;
  localparam int MAX_CYCLES = 200000;

  logic clk = 0;
  initial forever #1 clk = !clk;

  logic reset = 1, passOverlap, hiddenPreload, hostWrite = 0;
  int hostAddress;
  logic [31:0] hostWord;
  logic start[3], done[3];
  tensor_processor #(
      .ROWS(ROWS), .COLS(COLS), .LANES(LANES), .LATENCY(LATENCY), .QUEUE(QUEUE)
  ) dut (
      .*
  );

  int in, out, tiles, sramWords, accumulatorRows, cycle;
  int startCycle[3][QUEUE], endCycle[3][QUEUE];
  int started[3], finished[3];

  function automatic int read();
    int number;
    if ($fscanf(in, "%d", number) != 1) $fatal(1, "the tiles end too early");
    return number;
  endfunction

  function automatic int unsigned readHex();
    int unsigned number;
    if ($fscanf(in, "%h", number) != 1) $fatal(1, "the tiles end too early");
    return number;
  endfunction

  // Instructions are packed structs of ints, the first field on top.
  task automatic readInstructions();
    conv_t conv;
    shift_t shift;
    pool_t pool;
    dut.queued[0] = read();
    for (int i = 0; i < dut.queued[0]; i++) begin
      for (int w = 0; w < $bits(conv_t) / 32; w++) conv = {conv[$bits(conv_t)-33:0], read()};
      dut.convs[i] = conv;
    end
    dut.queued[1] = read();
    for (int i = 0; i < dut.queued[1]; i++) begin
      for (int w = 0; w < $bits(shift_t) / 32; w++) shift = {shift[$bits(shift_t)-33:0], read()};
      dut.shifts[i] = shift;
    end
    dut.queued[2] = read();
    for (int i = 0; i < dut.queued[2]; i++) begin
      for (int w = 0; w < $bits(pool_t) / 32; w++) pool = {pool[$bits(pool_t)-33:0], read()};
      dut.pools[i] = pool;
    end
  endtask

  task automatic run();
    cycle = 0;
    started = '{0, 0, 0};
    finished = '{0, 0, 0};
    while (finished != dut.queued) begin
      @(posedge clk);  // sees what the units do in the cycle that ends here
      for (int u = 0; u < 3; u++) begin
        if (start[u]) begin
          startCycle[u][started[u]] = cycle;
          started[u]++;
        end
        if (done[u]) begin
          endCycle[u][finished[u]] = cycle + 1;
          finished[u]++;
        end
      end
      cycle++;
      if (cycle == MAX_CYCLES) $fatal(1, "no end after %0d cycles", cycle);
    end
  endtask

  task automatic writeResults();
    for (int u = 0; u < 3; u++)
      for (int i = 0; i < dut.queued[u]; i++) $fdisplay(out, "%0d %0d", startCycle[u][i], endCycle[u][i]);
    for (int w = 0; w < sramWords; w++)
      $fwrite(out, "%h ", {dut.sram[4*w+3], dut.sram[4*w+2], dut.sram[4*w+1], dut.sram[4*w]});
    $fdisplay(out, "");
    for (int r = 0; r < accumulatorRows; r++) for (int c = 0; c < COLS; c++) $fwrite(out, "%0d ", dut.accumulators[r][c]);
    $fdisplay(out, "");
  endtask

  string inPath, outPath;
  initial begin
    if ($value$plusargs("in=%s", inPath) == 0 || $value$plusargs("out=%s", outPath) == 0) $fatal(1, "+in=FILE +out=FILE");
    in = $fopen(inPath, "r");
    out = $fopen(outPath, "w");
    tiles = read();
    for (int t = 0; t < tiles; t++) begin
      @(negedge clk);
      reset = 1;
      passOverlap = read() != 0;
      hiddenPreload = read() != 0;
      accumulatorRows = read();
      sramWords = read();
      hostWrite = 1;
      for (int w = 0; w < sramWords; w++) begin
        hostAddress = 4 * w;
        hostWord = readHex();
        @(negedge clk);
      end
      hostWrite = 0;
      readInstructions();
      @(negedge clk);
      reset = 0;
      run();
      @(negedge clk);  // what was written with the last edge is there
      writeResults();
    end
    $fclose(out);
    $finish;
  end
endmodule
