"""Detections of a trained network, and their average precision by KITTI's rules (docs/evaluation.md)."""

import numpy as np
import torch

from squeezedet import CLASSES, HEIGHT, WIDTH, decode, iou, split_head

MIN_OVERLAP = {"car": 0.7, "pedestrian": 0.5, "cyclist": 0.5}
NEIGHBOUR = {"car": "van", "pedestrian": "person_sitting", "cyclist": None}
LEVELS = {"easy": (40, 0, 0.15), "moderate": (25, 1, 0.30), "hard": (25, 2, 0.50)}
TOP_BOXES, NMS_IOU, THRESHOLD = 64, 0.4, 0.05


def detections(head, grid):
    """head [N, 72, 24, 78], grid [A, 4] -> for each picture: boxes [D, 4], classes [D], scores [D]; best first."""
    scores, confidence, deltas = split_head(head)
    probability = torch.softmax(scores, -1).max(-1)
    score = torch.sigmoid(confidence) * probability.values
    limit = torch.tensor([WIDTH - 1, HEIGHT - 1] * 2, device=head.device)
    boxes = torch.minimum(decode(deltas, grid).clamp(min=0), limit)
    found = []
    for n in range(len(head)):
        best = score[n].topk(TOP_BOXES).indices
        best = best[score[n, best] > THRESHOLD]
        box, label = boxes[n, best], probability.indices[n, best]
        overlap = (iou(box[:, None], box[None]) > NMS_IOU) & (label[:, None] == label[None])
        keep = []
        for i in range(len(best)):
            if not any(overlap[i, j] for j in keep):
                keep.append(i)
        found.append([part.cpu().numpy() for part in (box[keep], label[keep], score[n, best][keep])])
    return found


def read_truth(path):
    """(class, height, occlusion, truncation, box) of each label."""
    with open(path) as file:
        rows = [line.split() for line in file]
    return [(r[0].lower(), float(r[7]) - float(r[5]), int(r[2]), float(r[1]), [float(v) for v in r[4:8]]) for r in rows]


def average_precision(truths, found, name, level):
    """AP of one class and level, 11 points; truths and found of all pictures."""
    low, occlusion, truncation = LEVELS[level]
    wanted_count, events = 0, []  # (score, is right)
    for truth, (boxes, labels, scores) in zip(truths, found):
        mine = labels == CLASSES.index(name)
        boxes, scores = boxes[mine], scores[mine]
        objects = [(kind, box, kind == name and height >= low and hidden <= occlusion and cut <= truncation)
                   for kind, height, hidden, cut, box in truth if kind in (name, NEIGHBOUR[name])]
        wanted_count += sum(is_wanted for _, _, is_wanted in objects)
        free = [True] * len(objects)
        care = torch.tensor([box for kind, *_, box in truth if kind == "dontcare"]).reshape(-1, 4)
        overlaps = iou(torch.from_numpy(boxes)[:, None], torch.tensor([o[1] for o in objects]).reshape(-1, 4)[None]).numpy()
        for i, score in enumerate(scores):
            fits = [j for j in range(len(objects)) if free[j] and overlaps[i, j] > MIN_OVERLAP[name]]
            if fits:
                best = max(fits, key=lambda j: (objects[j][2], overlaps[i, j]))
                free[best] = False
                if objects[best][2]:
                    events.append((score, True))
            elif not len(care) or iou(torch.from_numpy(boxes[i])[None], care).max() == 0:
                events.append((score, False))
    if wanted_count == 0:
        return float("nan")
    events.sort(key=lambda event: -event[0])
    right = np.cumsum([hit for _, hit in events])
    recall, precision = right / wanted_count, right / np.arange(1, len(events) + 1)
    return float(np.mean([precision[recall >= r].max() if (recall >= r).any() else 0 for r in np.arange(0, 1.01, 0.1)]))


def table(truths, found):
    """{class: {level: AP}}"""
    return {name: {level: average_precision(truths, found, name, level) for level in LEVELS} for name in CLASSES}
