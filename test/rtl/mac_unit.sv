// Executes `conv` tiles. Each block of COLS output channels takes one or more passes; a pass shifts ROWS rows of weights into the
// array, then streams the tile's pixels through it, one per cycle. The loader runs one pass ahead of the streamer.
module mac_unit
  import tile::*;
#(
    parameter int ROWS = 16,
    parameter int COLS = 16
) (
    input logic clk,
    input logic reset,
    input logic passOverlap,  // a pass may begin while sums of the one before are still in the array
    input logic hiddenPreload,  // two sets of weight registers

    // the next instruction, and whether its semaphores are there; `start` takes it
    input  conv_t next,
    input  logic  ready,
    output logic  start,
    output logic  done,   // the last sum of an instruction is written in this cycle

    // SRAM reads of this cycle: one byte for each row, one row of weights
    output int activationAddress[ROWS],
    input logic [7:0] activationByte[ROWS],
    output int weightAddress,
    input logic [7:0] weightByte[COLS],

    // accumulators: each column reads one row and writes one
    output int readRow[COLS],
    input logic signed [31:0] readValue[COLS],
    output logic writeEnable[COLS],
    output int writeRow[COLS],
    output logic signed [31:0] writeValue[COLS]
);
  // What an array row works on: tap offset in pixels and input channel.
  typedef struct packed {
    logic used;
    int dy, dx, channel;
  } row_t;

  // One pass: a block of output channels, and the taps and channels from `first` on of a segment, that is of those that may share
  // the array's rows: one tap, one kernel row, or all.
  typedef struct packed {
    conv_t conv;
    int c0;  // first output channel of the block
    int segment, first;
  } pass_t;

  // Input channels of all groups that the block's output channels belong to.
  function automatic int channelsOf(pass_t p);
    int last = minimum(p.c0 + COLS, p.conv.box.c1) - 1;
    return (last / p.conv.groupOut - p.c0 / p.conv.groupOut + 1) * p.conv.cCount;
  endfunction

  function automatic int segmentTaps(conv_t conv);
    case (conv.packing)
      PER_TAP: return 1;
      KERNEL_ROW: return conv.kernelX;
      default: return conv.kernelY * conv.kernelX;
    endcase
  endfunction

  function automatic logic lastOfBlock(pass_t p);
    return p.first + ROWS >= segmentTaps(p.conv) * channelsOf(p) &&
           (p.segment + 1) * segmentTaps(p.conv) >= p.conv.kernelY * p.conv.kernelX;
  endfunction

  function automatic logic lastOfConv(pass_t p);
    return lastOfBlock(p) && p.c0 + COLS >= p.conv.box.c1;
  endfunction

  function automatic pass_t passAfter(pass_t p);
    pass_t q = p;
    q.first = p.first + ROWS;
    if (q.first >= segmentTaps(p.conv) * channelsOf(p)) begin
      q.first = 0;
      q.segment = p.segment + 1;
    end
    if (lastOfBlock(p)) begin
      q.segment = 0;
      q.c0 = p.c0 + COLS;
    end
    return q;
  endfunction

  // --- loader: weights and row assignments of the next pass ------------------------------------------------------------
  pass_t following;  // the pass to load next, when the instruction has one left
  logic hasFollowing;
  logic loadRunning;  // between a load's first row and its last
  int loaded;  // rows loaded so far
  logic waiting;  // a pass is loaded and its stream has not begun
  pass_t waitingPass;
  row_t waitingRows[ROWS];

  pass_t loadPass;
  logic loadBegins, load, weightsFree;
  int loadRow, element, tap, channel, group;
  logic loadUsed;

  always_comb begin
    // double-buffered: the loaded weights are in use; otherwise: the weights in use are no longer needed
    weightsFree = hiddenPreload ? !waiting || streamBegins : !waiting && !streamRunning && drained;
    loadBegins = !loadRunning && weightsFree && (hasFollowing || ready);
    start = loadBegins && !hasFollowing;
    load = loadBegins || loadRunning;
    loadPass = start ? pass_t'{conv: next, c0: next.box.c0, segment: 0, first: 0} : following;

    // the last array row's weights go first
    loadRow = ROWS - 1 - (loadBegins ? 0 : loaded);
    element = loadPass.first + loadRow;
    loadUsed = load && element < segmentTaps(loadPass.conv) * channelsOf(loadPass);
    tap = loadPass.segment * segmentTaps(loadPass.conv) + element / channelsOf(loadPass);
    group = loadPass.c0 / loadPass.conv.groupOut + element % channelsOf(loadPass) / loadPass.conv.cCount;
    channel = element % channelsOf(loadPass) % loadPass.conv.cCount;
    weightAddress = viewAddress(
        loadPass.conv.weights,
        loadPass.c0 / COLS,
        loadPass.conv.weightRow + tap * loadPass.conv.cCount + channel,
        -loadPass.conv.weights.c0
    );
  end

  logic signed [7:0] weightIn[COLS];
  always_comb
    for (int c = 0; c < COLS; c++) begin
      automatic int outChannel = loadPass.c0 + c;
      automatic logic used = loadUsed && outChannel < loadPass.conv.box.c1 && outChannel / loadPass.conv.groupOut == group;
      weightIn[c] = used ? weightByte[c] : '0;
    end

  always_ff @(posedge clk) begin
    if (streamBegins) waiting <= 0;
    if (load) begin
      waitingRows[loadRow] <= row_t'{
          used: loadUsed,
          dy: tap / loadPass.conv.kernelX * loadPass.conv.dilationY,
          dx: tap % loadPass.conv.kernelX * loadPass.conv.dilationX,
          channel: group * loadPass.conv.groupIn + loadPass.conv.cBegin + channel
      };
      following <= loadPass;
      hasFollowing <= 1;
      loadRunning <= loadRow > 0;
      loaded <= ROWS - loadRow;
      if (loadRow == 0) begin
        waiting <= 1;
        waitingPass <= loadPass;
        following <= passAfter(loadPass);
        hasFollowing <= !lastOfConv(loadPass);
      end
    end
    if (reset) {waiting, hasFollowing, loadRunning} <= '0;
  end

  // --- streamer: one pixel of the tile in each cycle ---------------------------------------------------------------------
  pass_t streamingPass;
  row_t streamingRows[ROWS];
  logic streamRunning;  // between a pass's first pixel and its last
  int atY, atX;

  pass_t pass;
  logic streamBegins, stream;
  int y, x;

  always_comb begin
    streamBegins = waiting && !streamRunning && drained;
    stream = streamBegins || streamRunning;
    pass = streamBegins ? waitingPass : streamingPass;
    y = streamBegins ? pass.conv.box.y0 : atY;
    x = streamBegins ? pass.conv.box.x0 : atX;
  end

  logic lastPixel;
  always_comb lastPixel = x + 1 == pass.conv.box.x1 && y + 1 == pass.conv.box.y1;

  always_ff @(posedge clk) begin
    if (streamBegins) begin
      streamingPass <= waitingPass;
      streamingRows <= waitingRows;
    end
    streamRunning <= stream && !lastPixel;
    atX <= x + 1 == pass.conv.box.x1 ? pass.conv.box.x0 : x + 1;
    atY <= x + 1 == pass.conv.box.x1 ? y + 1 : y;
    if (reset) streamRunning <= 0;
  end

  logic read[ROWS];
  always_comb
    for (int r = 0; r < ROWS; r++) begin
      automatic row_t at = streamBegins ? waitingRows[r] : streamingRows[r];
      automatic int inY = y * pass.conv.strideY + at.dy - pass.conv.padTop;
      automatic int inX = x * pass.conv.strideX + at.dx - pass.conv.padLeft;
      activationAddress[r] = viewAddress(pass.conv.src, inY, inX, at.channel - pass.conv.src.c0);
      read[r] = stream && at.used && inY >= 0 && inY < pass.conv.height && inX >= 0 && inX < pass.conv.width;
    end

  // What is not read counts as 0: padding, rows without an input, cycles without a pixel.
  logic signed [8:0] activationIn[ROWS];
  always_comb
    for (int r = 0; r < ROWS; r++)
      activationIn[r] = read[r] ? {pass.conv.isUnsigned == 0 && activationByte[r][7], activationByte[r]} : '0;

  // --- what travels along with a pixel: which accumulators its sums come from and go to -----------------------------------
  typedef struct packed {
    logic valid;
    logic add;  // to what is in the accumulators
    logic last;  // of the instruction
    int row, columns;
  } token_t;

  localparam int DEPTH = ROWS + COLS - 1;
  token_t tokens[DEPTH];  // tokens[d]: of the pixel that entered d cycles ago
  token_t delayed[DEPTH];
  logic drained;  // as far as the next pass is concerned

  always_comb begin
    tokens[0] = token_t'{
        valid: stream,
        add: pass.conv.add != 0 || pass.segment > 0 || pass.first > 0,
        last: lastPixel && lastOfConv(pass),
        row: accumulatorRow(pass.conv.accRow, pass.conv.whole, y, x, pass.c0, COLS),
        columns: minimum(pass.conv.box.c1 - pass.c0, COLS)
    };
    for (int d = 1; d < DEPTH; d++) tokens[d] = delayed[d];
    done = tokens[DEPTH-1].valid && tokens[DEPTH-1].last;
  end

  always_comb begin
    drained = 1;
    for (int d = 1; d < DEPTH; d++) if (delayed[d].valid && !passOverlap) drained = 0;
  end

  always_ff @(posedge clk)
    for (int d = 1; d < DEPTH; d++) begin
      delayed[d] <= tokens[d-1];
      if (reset) delayed[d].valid <= 0;
    end

  logic signed [31:0] sumIn[COLS];
  always_comb
    for (int c = 0; c < COLS; c++) begin
      readRow[c] = tokens[c].row;
      sumIn[c] = tokens[c].add ? readValue[c] : 0;
      writeRow[c] = tokens[c+ROWS-1].row;
      writeEnable[c] = tokens[c+ROWS-1].valid && c < tokens[c+ROWS-1].columns;
    end

  mac_array #(ROWS, COLS) mac_array (
      .clk,
      .doubleBuffered(hiddenPreload),
      .load,
      .loadFirst(loadBegins),
      .weightIn,
      .swap(streamBegins),
      .activationIn,
      .sumIn,
      .sumOut(writeValue)
  );
endmodule
