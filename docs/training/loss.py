"""SqueezeDet's loss: squared errors of boxes and confidences, cross entropy of classes, each object on one anchor."""

import torch
import torch.nn.functional as F

from squeezedet import CLASSES, decode, iou, split_head

# weights of the published configuration
BOX, CLASS, OBJECT, NO_OBJECT = 5.0, 1.0, 75.0, 100.0


def corners(grid):
    return torch.cat((grid[..., :2] - grid[..., 2:] / 2, grid[..., :2] + grid[..., 2:] / 2), -1)


def assign(boxes, classes, grid):
    """Gives each object the free anchor that overlaps it most, objects in their order.

    boxes [N, M, 4], classes [N, M] (-1: none), grid [N, A, 4] -> anchor of each object [N, M]
    """
    overlap = iou(boxes[:, :, None], corners(grid)[:, None])
    chosen = torch.zeros_like(classes)
    rows = torch.arange(len(boxes), device=boxes.device)
    taken = torch.zeros_like(overlap[:, 0])
    for m in range(classes.shape[1]):
        chosen[:, m] = (overlap[:, m] - taken).argmax(1)
        taken[rows, chosen[:, m]] += 2.0 * (classes[:, m] >= 0)
    return chosen


def loss(head, boxes, classes, ignored, grid):
    """head [N, 72, R, C]; boxes [N, M, 4] and classes [N, M] (-1: none); ignored [N, K, 4]; grid [N, A, 4].

    Returns the sum, and its parts by name, per object.
    """
    scores, confidence, deltas = split_head(head)
    chosen = assign(boxes, classes, grid)
    present = classes >= 0
    count = present.sum().clamp(min=1)

    at = lambda values: torch.gather(values, 1, chosen[..., None].expand(-1, -1, values.shape[-1]))
    anchor = at(grid)
    size = (boxes[..., 2:] - boxes[..., :2]).clamp(min=1)
    centre = (boxes[..., 2:] + boxes[..., :2]) / 2
    wanted = torch.cat(((centre - anchor[..., :2]) / anchor[..., 2:], torch.log(size / anchor[..., 2:])), -1)
    found = at(deltas)
    box_loss = BOX * ((found - wanted) ** 2)[present].sum() / count
    class_loss = CLASS * F.cross_entropy(at(scores)[present], classes[present], reduction="sum") / count

    # the confidence is to say how well the box fits
    fit = iou(decode(found.detach(), anchor), boxes) * present
    target = torch.zeros_like(confidence)
    is_object = torch.zeros_like(confidence)
    target.scatter_add_(1, chosen, fit)
    is_object.scatter_add_(1, chosen, present.float())
    # where a van or a hidden thing is, nothing is asked for
    x, y = grid[..., 0][:, :, None], grid[..., 1][:, :, None]
    inside = (x > ignored[:, None, :, 0]) & (x < ignored[:, None, :, 2]) & (y > ignored[:, None, :, 1]) & (y < ignored[:, None, :, 3])
    counts = ((1 - is_object) * (1 - inside.any(2).float())).detach()
    error = (torch.sigmoid(confidence) - target) ** 2
    object_loss = OBJECT * (error * is_object).sum() / count
    empty_loss = NO_OBJECT * (error * counts).sum() / (confidence.numel() - count)
    parts = {"box": box_loss, "class": class_loss, "object": object_loss, "empty": empty_loss}
    return sum(parts.values()), parts


assert len(CLASSES) == 3
