; The program of docs/tutorial.md: a picture in, one convolution with ReLU, one max pooling, the result out.
.name tiny
.machine rap-small

.tensor image 8x8x3 i8 input
.tensor weights 2x27x8 i8 constant
.tensor table 1x16x4 i8 constant
.tensor conv1 8x8x16 i8
.tensor pool1 4x4x16 i8 output

.semaphore loaded load -> mac
.semaphore tabled load -> shift
.semaphore summed mac -> shift
.semaphore shifted shift -> pool
.semaphore pooled pool -> store

.layer conv1 conv
.layer pool1 pool

.body
  view v0 tensor=image y=0+:8 x=0+:8 c=0+:3 address=0 rowPitch=24 pixelPitch=3
  view v1 tensor=weights y=0+:2 x=0+:27 c=0+:8 address=256 rowPitch=216 pixelPitch=8
  view v2 tensor=table y=0+:1 x=0+:16 c=0+:4 address=704 pixelPitch=4
  view v3 tensor=conv1 y=0+:8 x=0+:8 c=0+:16 address=1024 rowPitch=128 pixelPitch=16
  view v4 tensor=pool1 y=0+:4 x=0+:4 c=0+:16 address=2048 rowPitch=64 pixelPitch=16

.tile conv1
  load dst=v0 y=0+:8 x=0+:8 c=0+:3
  load dst=v1 y=0+:2 x=0+:27 c=0+:8 signals=loaded
  load dst=v2 y=0+:1 x=0+:16 c=0+:4 signals=tabled
  conv src=v0 weights=v1 tensor=conv1 y=0+:8 x=0+:8 c=0+:16 cCount=3 groupIn=3 groupOut=16 kernel=3x3 padTop=1 padLeft=1 packing=full waits=loaded signals=summed
  shift table=v2 dst=v3 tensor=conv1 y=0+:8 x=0+:8 c=0+:16 low=0 waits=tabled,summed signals=shifted

.tile pool1
  pool src=v3 dst=v4 tensor=pool1 y=0+:4 x=0+:4 c=0+:16 kernel=2x2 stride=2x2 waits=shifted signals=pooled
  store src=v4 y=0+:4 x=0+:4 c=0+:16 waits=pooled
  halt

; one tap in each line: 8 output channels for R, for G, for B
.data weights
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0 -1 -1  0  0    0  0  0  0  0  0  0  0 ; tap (0, 0)
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0  0 -2  0 -1    0  0  0  0  0  0  0  0 ; tap (0, 1)
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0  1 -1  0  0    0  0  0  0  0  0  0  0 ; tap (0, 2)
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0 -2  0  0 -1    0  0  0  0  0  0  0  0 ; tap (1, 0)
  .bytes   1  0  0  1  0  0  1  0    0  1  0  1  0  0  0  4    0  0  1  1  0  0  0  0 ; tap (1, 1)
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0  2  0  0 -1    0  0  0  0  0  0  0  0 ; tap (1, 2)
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0 -1  1  0  0    0  0  0  0  0  0  0  0 ; tap (2, 0)
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0  0  2  0 -1    0  0  0  0  0  0  0  0 ; tap (2, 1)
  .bytes   0  0  0  0  0  0  1  0    0  0  0  0  1  1  0  0    0  0  0  0  0  0  0  0 ; tap (2, 2)
  ; output channels 8 to 15
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0  1  1  0  0    0  0  0  0  0  0  0  0 ; tap (0, 0)
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0  0  2  0  1    0  0  0  0  0  0  0  0 ; tap (0, 1)
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0 -1  1  0  0    0  0  0  0  0  0  0  0 ; tap (0, 2)
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0  2  0  0  1    0  0  0  0  0  0  0  0 ; tap (1, 0)
  .bytes  -1  0  0 -1  0  0 -1  0    0 -1  0 -1  0  0  0 -4    0  0 -1 -1  0  0  0  0 ; tap (1, 1)
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0 -2  0  0  1    0  0  0  0  0  0  0  0 ; tap (1, 2)
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0  1 -1  0  0    0  0  0  0  0  0  0  0 ; tap (2, 0)
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0  0 -2  0  1    0  0  0  0  0  0  0  0 ; tap (2, 1)
  .bytes   0  0  0  0  0  0 -1  0    0  0  0  0 -1 -1  0  0    0  0  0  0  0  0  0  0 ; tap (2, 2)

; for each output channel: bias, bias shift, shift, 0
.data table
  .bytes 0 0 0 0 ; 0: red
  .bytes 0 0 0 0 ; 1: green
  .bytes 0 0 0 0 ; 2: blue
  .bytes 0 0 2 0 ; 3: grey
  .bytes 0 0 3 0 ; 4: from left to right
  .bytes 0 0 3 0 ; 5: from top to bottom
  .bytes 3 3 3 0 ; 6: blur
  .bytes 3 2 2 0 ; 7: spots
  .bytes 0 0 0 0 ; 8: minus red
  .bytes 0 0 0 0 ; 9: minus green
  .bytes 0 0 0 0 ; 10: minus blue
  .bytes 0 0 2 0 ; 11: minus grey
  .bytes 0 0 3 0 ; 12: minus from left to right
  .bytes 0 0 3 0 ; 13: minus from top to bottom
  .bytes 3 3 3 0 ; 14: minus blur
  .bytes 3 2 2 0 ; 15: minus spots
