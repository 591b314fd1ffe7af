"""Nine anchors by k-means on the boxes of scenes, 1 - IoU of widths and heights as the distance."""

import argparse
import json

import numpy as np

from scenes import Path, read_labels


def overlap(sizes, anchors):
    common = np.minimum(sizes[:, None], anchors[None]).prod(2)
    return common / (sizes.prod(1)[:, None] + anchors.prod(1)[None] - common)


def find_anchors(sizes, count=9, seed=1):
    """sizes [N, 2] -> [count, 2], smallest area first."""
    random = np.random.default_rng(seed)
    anchors = sizes[random.choice(len(sizes), count, replace=False)]
    for _ in range(200):
        nearest = overlap(sizes, anchors).argmax(1)
        moved = np.array([np.median(sizes[nearest == k], 0) if (nearest == k).any() else anchors[k] for k in range(count)])
        if np.allclose(moved, anchors):
            break
        anchors = moved
    return anchors[np.argsort(anchors.prod(1))]


def object_sizes(folder):
    """Widths and heights of all objects that are asked for: [N, 2]."""
    labels = [read_labels(path) for path in sorted(Path(folder).glob("label_2/*.txt"))]
    boxes = np.concatenate([boxes[classes >= 0] for boxes, classes in labels])
    return boxes[:, 2:] - boxes[:, :2]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", help="folder that `rapsim scenes` wrote")
    parser.add_argument("-o", "--output", default="anchors.json")
    given = parser.parse_args()
    sizes = object_sizes(given.scenes)
    found = max((find_anchors(sizes, seed=seed) for seed in range(8)), key=lambda a: overlap(sizes, a).max(1).mean())
    anchors = [[round(float(value), 1) for value in anchor] for anchor in found]
    Path(given.output).write_text(json.dumps(anchors) + "\n")
    print(anchors, "mean IoU", overlap(sizes, found).max(1).mean().round(3))
