"""SqueezeDet (Wu et al. 2017) as rapsim's built-in `squeezedet` has it: 1248 x 384, 16 pixels per cell, 9 anchors.

While it is trained, each convolution but the last has a batch normalization, since nothing is pretrained; `folded`
puts them into the convolutions, so that the network that leaves is the published one.
"""

import torch
import torch.nn.functional as F
from torch import nn

WIDTH, HEIGHT, CELL = 1248, 384, 16
COLUMNS, ROWS = WIDTH // CELL, HEIGHT // CELL
ANCHORS_PER_CELL = 9
CLASSES = ("car", "pedestrian", "cyclist")
HEAD_CHANNELS = ANCHORS_PER_CELL * (len(CLASSES) + 1 + 4)
MEAN_BGR = (103.939, 116.779, 123.68)
FIRES = {  # squeeze, expand (each of 1x1 and 3x3)
    "fire2": (16, 64), "fire3": (16, 64),
    "fire4": (32, 128), "fire5": (32, 128),
    "fire6": (48, 192), "fire7": (48, 192), "fire8": (64, 256), "fire9": (64, 256),
    "fire10": (96, 384), "fire11": (96, 384),
}
POOLED_BEFORE = ("fire2", "fire4", "fire6")


class Convolution(nn.Module):
    """Convolution, batch normalization, ReLU. Strides of 2 pad behind alone: TensorFlow's SAME on even extents."""

    def __init__(self, inputs, outputs, kernel, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.stride = stride
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, x):
        if self.stride == 2:
            x = F.pad(x, (0, 1, 0, 1))
        return F.relu(self.norm(self.conv(x)), inplace=True)


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze1x1 = Convolution(inputs, squeeze, 1)
        self.expand1x1 = Convolution(squeeze, expand, 1)
        self.expand3x3 = Convolution(squeeze, expand, 3)

    def forward(self, x):
        x = self.squeeze1x1(x)
        return torch.cat((self.expand1x1(x), self.expand3x3(x)), 1)


class SqueezeDet(nn.Module):
    """[N, 3, H, W] blue, green, red minus mean -> [N, 72, H / 16, W / 16]: class scores, confidences, box deltas."""

    def __init__(self):
        super().__init__()
        self.conv1 = Convolution(3, 64, 3, stride=2)
        channels = 64
        for name, (squeeze, expand) in FIRES.items():
            setattr(self, name, Fire(channels, squeeze, expand))
            channels = 2 * expand
        self.conv12 = nn.Conv2d(channels, HEAD_CHANNELS, 3, padding=1)
        nn.init.normal_(self.conv12.weight, std=0.002)
        nn.init.zeros_(self.conv12.bias)
        # few anchors hold an object: begin near that
        confidence = slice(ANCHORS_PER_CELL * len(CLASSES), ANCHORS_PER_CELL * (len(CLASSES) + 1))
        self.conv12.bias.data[confidence] = -4.0

    def forward(self, x):
        x = self.conv1(x)
        for name in FIRES:
            if name in POOLED_BEFORE:
                # values are not negative, so zeros behind are never the maximum alone
                x = F.max_pool2d(F.pad(x, (0, 1, 0, 1)), 3, 2)
            x = getattr(self, name)(x)
        return self.conv12(x)


def folded(model):
    """[(name, weights [outputs, inputs, rows, columns], bias [outputs])] of all convolutions in the graph's order."""

    def fold(unit):
        norm = unit.norm
        factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        return unit.conv.weight * factor[:, None, None, None], norm.bias - norm.running_mean * factor

    with torch.no_grad():
        layers = [("conv1", *fold(model.conv1))]
        for name in FIRES:
            fire = getattr(model, name)
            for part in ("squeeze1x1", "expand1x1", "expand3x3"):
                layers.append((f"{name}_{part}", *fold(getattr(fire, part))))
        layers.append(("conv12", model.conv12.weight, model.conv12.bias))
        return [(name, weight.float().cpu().clone(), bias.float().cpu().clone()) for name, weight, bias in layers]


def split_head(head):
    """[N, 72, R, C] -> class scores [N, A, 3], confidence logits [N, A], deltas [N, A, 4]; A = R * C * 9, cell by cell."""
    batch = head.shape[0]
    values = head.float().permute(0, 2, 3, 1).reshape(batch, -1, HEAD_CHANNELS)
    classes = ANCHORS_PER_CELL * len(CLASSES)
    scores = values[..., :classes].reshape(batch, -1, len(CLASSES))
    confidence = values[..., classes : classes + ANCHORS_PER_CELL].reshape(batch, -1)
    deltas = values[..., classes + ANCHORS_PER_CELL :].reshape(batch, -1, 4)
    return scores, confidence, deltas


def anchor_grid(anchors, device):
    """anchors [9, 2] width, height -> [ROWS, COLUMNS, 9, 4] centre x, y, width, height in pixels of the whole input."""
    x = (torch.arange(COLUMNS, device=device) + 1) * (WIDTH / (COLUMNS + 1))
    y = (torch.arange(ROWS, device=device) + 1) * (HEIGHT / (ROWS + 1))
    grid = torch.zeros(ROWS, COLUMNS, ANCHORS_PER_CELL, 4, device=device)
    grid[..., 0] = x[None, :, None]
    grid[..., 1] = y[:, None, None]
    grid[..., 2:] = torch.as_tensor(anchors, dtype=torch.float32, device=device)
    return grid


def safe_exp(t):
    """exp(t) up to 1, from there on its tangent."""
    return torch.where(t <= 1, torch.exp(t.clamp(max=1)), torch.e * t)


def decode(deltas, grid):
    """deltas [..., A, 4], grid [..., A, 4] -> boxes x0, y0, x1, y1."""
    centre = grid[..., :2] + deltas[..., :2] * grid[..., 2:]
    half = grid[..., 2:] * safe_exp(deltas[..., 2:]) / 2
    return torch.cat((centre - half, centre + half), -1)


def iou(a, b):
    """Intersection over union of boxes x0, y0, x1, y1 along the last axis; shapes broadcast."""
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    area = lambda box: (box[..., 2:] - box[..., :2]).clamp(min=0).prod(-1)
    return common / (area(a) + area(b) - common).clamp(min=1e-6)
