// Tile instructions as one tensor processor receives them: the fields of isa/table.ts under their names there, with view
// registers looked up and boxes clipped by the scalar processor. Every field is an int; the test writes them in this order.
package tile;
  // A box in tensor coordinates: rows y0 <= y < y1, columns, channels.
  typedef struct packed {
    int y0, y1, x0, x1, c0, c1;
  } box_t;

  // A window of a tensor in SRAM: element (y, x, c) lies at address + (y - y0) * rowPitch + (x - x0) * pixelPitch + ...
  typedef struct packed {
    int address, rowPitch, pixelPitch, y0, x0, c0;
  } view_t;

  // Masks of semaphores to take before the start and to give at the end.
  typedef struct packed {
    int waits, signals;
  } sync_t;

  typedef struct packed {
    sync_t sync;
    box_t  box, whole;  // clipped; as written, which lays out the accumulators
    view_t src;
    int    height, width, isUnsigned;  // of the input tensor
    view_t weights;
    int    accRow, add, weightRow, cBegin, cCount, groupIn, groupOut, kernelY, kernelX, strideY, strideX;
    int    dilationY, dilationX, padTop, padLeft, packing;
  } conv_t;

  typedef struct packed {
    sync_t sync;
    box_t  box, whole;
    view_t tbl, dst;
    int    isWide;  // an int32 destination
    int    accRow, channelOffset, low, high, leaky, slopeA, slopeB;
  } shift_t;

  typedef struct packed {
    sync_t sync;
    box_t  box;
    view_t src;
    int    height, width, isUnsigned;
    view_t dst;
    int    channelOffset, mode, kernelY, kernelX, strideY, strideX, padTop, padLeft;
  } pool_t;

  typedef enum int {PER_TAP, KERNEL_ROW, FULL} packing_t;
  typedef enum int {MAX, AVERAGE, AVERAGE_ALL} pool_mode_t;

  function automatic int minimum(int a, int b);
    return a < b ? a : b;
  endfunction

  function automatic int viewAddress(view_t view, int y, int x, int byteInPixel);
    return view.address + (y - view.y0) * view.rowPitch + (x - view.x0) * view.pixelPitch + byteInPixel;
  endfunction

  // Row of the accumulators that holds pixel (y, x) of the block of channels that c lies in; one row is `cols` channels.
  function automatic int accumulatorRow(int accRow, box_t whole, int y, int x, int c, int cols);
    int height = whole.y1 - whole.y0;
    int width = whole.x1 - whole.x0;
    return accRow + ((c - whole.c0) / cols * height + y - whole.y0) * width + x - whole.x0;
  endfunction
endpackage
