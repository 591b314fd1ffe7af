"""Scenes of `rapsim scenes` as one array of pixels and one list of labels; random parts of them as batches."""

from pathlib import Path

import numpy as np
import torch

from squeezedet import CELL, CLASSES, COLUMNS, HEIGHT, MEAN_BGR, ROWS, WIDTH

MAX_OBJECTS, MAX_IGNORED = 32, 16
SCENE_BYTES = HEIGHT * WIDTH * 3
# a part of an object at the edge of a crop is asked for from here on
MIN_INSIDE = 0.4
LABELLED_OCCLUSION = 2


def read_labels(path):
    """Boxes [M, 4], classes [M]; -1: to be ignored (other vehicles, what is nearly hidden, regions not labelled)."""
    boxes, classes = [], []
    for line in Path(path).read_text().splitlines():
        words = line.split()
        name = words[0].lower()
        hidden = int(words[2]) > LABELLED_OCCLUSION
        boxes.append([float(word) for word in words[4:8]])
        classes.append(CLASSES.index(name) if name in CLASSES and not hidden else -1)
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(classes, np.int64)


class Scenes:
    """images: [N, 384, 1248, 3] uint8, red, green, blue; read from `pixels.bin` in the folder, made when missing."""

    def __init__(self, folder, device="cpu"):
        folder = Path(folder)
        # pixels.mjs writes no pictures; of scenes that are still being drawn, a label may be there before its picture
        files = sorted((folder / "image_2").glob("*.png")) or sorted((folder / "label_2").glob("*.txt"))
        if not files:
            raise SystemExit(f"{folder}: no scenes; make some with: npx rapsim scenes -o {folder}")
        self.names = [path.stem for path in files]
        self.label_paths = [folder / "label_2" / f"{name}.txt" for name in self.names]
        self.labels = [read_labels(path) for path in self.label_paths]
        shape = (len(self.names), HEIGHT, WIDTH, 3)
        cache = folder / "pixels.bin"
        if not cache.exists() or cache.stat().st_size != np.prod(shape):
            self.fill_cache(folder, cache)
        pixels = np.memmap(cache, np.uint8, "c", shape=shape)
        self.device = device
        self.images = torch.from_numpy(pixels) if device == "cpu" else torch.from_numpy(np.asarray(pixels)).to(device)
        self.mean = torch.tensor(MEAN_BGR, device=device)

    def fill_cache(self, folder, cache):
        """Appends what is missing: the folder may have grown, or an earlier start was cut short."""
        from PIL import Image  # not needed where pixels.bin is there

        def pixels(name):
            image = np.asarray(Image.open(folder / "image_2" / f"{name}.png"))
            if image.shape != (HEIGHT, WIDTH, 3):
                raise SystemExit(f"{folder}/image_2/{name}.png: {image.shape}; scenes have {(HEIGHT, WIDTH, 3)}")
            return image.tobytes()

        with open(cache, "a+b") as file:
            kept = min(file.tell() // SCENE_BYTES, len(self.names))
            if kept > 0:
                file.seek((kept - 1) * SCENE_BYTES)
                if file.read(SCENE_BYTES) != pixels(self.names[kept - 1]):
                    raise SystemExit(f"{cache}: is not of these scenes; remove it")
            file.truncate(kept * SCENE_BYTES)
            for name in self.names[kept:]:
                file.write(pixels(name))

    def __len__(self):
        return len(self.names)

    def whole(self, indices):
        """Pictures as the network takes them: [N, 3, 384, 1248]."""
        images = torch.stack([self.images[i] for i in indices]).to(self.device)
        return (images.flip(3).float() - self.mean).permute(0, 3, 1, 2)

    def batch(self, indices, crop, grid, random):
        """Random crops, flipped, shifted and recoloured.

        crop (width, height); grid [ROWS, COLUMNS, 9, 4]. Returns images [N, 3, h, w], boxes, classes, ignored, and the
        part of the grid that belongs to each crop [N, A, 4], all in pixels of the crop.
        """
        width, height = crop
        images = torch.zeros(len(indices), height, width, 3, dtype=torch.uint8, device=self.device)
        boxes = np.zeros((len(indices), MAX_OBJECTS, 4), np.float32)
        classes = np.full((len(indices), MAX_OBJECTS), -1, np.int64)
        ignored = np.zeros((len(indices), MAX_IGNORED, 4), np.float32)
        grids = []
        for k, i in enumerate(indices):
            all_boxes, all_classes = self.labels[i]
            x0, y0 = self.place(all_boxes, all_classes, width, height, random)
            image = self.images[i]
            flip = random.random() < 0.5
            drift_x, drift_y = (random.integers(-CELL // 2, CELL // 2 + 1) for _ in range(2))
            if width == WIDTH:
                drift_x, drift_y = random.integers(-40, 41), random.integers(-24, 25)
            # source rectangle, its part inside of the picture, and where that comes to lie
            left, top = x0 + drift_x, y0 + drift_y
            sx0, sy0, sx1, sy1 = max(0, left), max(0, top), min(WIDTH, left + width), min(HEIGHT, top + height)
            images[k, sy0 - top : sy1 - top, sx0 - left : sx1 - left] = image[sy0:sy1, sx0:sx1]
            if flip:
                images[k] = images[k].flip(1)
            column = x0 // CELL if not flip else (WIDTH - x0 - width) // CELL
            row = y0 // CELL
            part = grid[row : row + height // CELL, column : column + width // CELL].clone()
            part[..., 0] -= column * CELL
            part[..., 1] -= row * CELL
            grids.append(part.reshape(-1, 4))
            self.fill(boxes[k], classes[k], ignored[k], all_boxes - [left, top, left, top], all_classes, width, height, flip)
        x = images.flip(3).float()
        # exposure, contrast and tint
        n = len(indices)
        gain = torch.from_numpy(random.uniform(0.8, 1.25, (n, 1, 1, 1)) * random.uniform(0.93, 1.07, (n, 1, 1, 3))).float()
        offset = torch.from_numpy(random.uniform(-18, 18, (n, 1, 1, 1))).float()
        x = (x * gain.to(self.device) + offset.to(self.device)).clamp(0, 255) - self.mean
        to = lambda array: torch.from_numpy(array).to(self.device)
        return x.permute(0, 3, 1, 2), to(boxes), to(classes), to(ignored), torch.stack(grids)

    @staticmethod
    def place(boxes, classes, width, height, random):
        """Upper left corner of a crop, on the grid; three of four hold the centre of an object."""
        wanted = np.flatnonzero(classes >= 0)
        free_x, free_y = (WIDTH - width) // CELL, (HEIGHT - height) // CELL
        x, y = random.integers(0, free_x + 1), random.integers(free_y // 3, free_y + 1)
        if len(wanted) and random.random() < 0.75:
            box = boxes[random.choice(wanted)]
            centre = (box[:2] + box[2:]) / 2
            x = int((centre[0] - random.uniform(0.15, 0.85) * width) / CELL)
            y = int((centre[1] - random.uniform(0.25, 0.75) * height) / CELL)
        return int(np.clip(x, 0, free_x)) * CELL, int(np.clip(y, 0, free_y)) * CELL

    @staticmethod
    def fill(boxes, classes, ignored, from_boxes, from_classes, width, height, flip):
        """Objects of a crop into rows of fixed length; what is mostly cut off is ignored."""
        objects = rest = 0
        for box, label in zip(from_boxes, from_classes):
            x0, y0, x1, y1 = box
            clipped = np.clip(box, 0, [width - 1, height - 1, width - 1, height - 1])
            size, area = clipped[2:] - clipped[:2], max(1.0, (x1 - x0) * (y1 - y0))
            if size.min() < 2:
                continue
            if flip:
                clipped = np.array([width - clipped[2], clipped[1], width - clipped[0], clipped[3]], np.float32)
            if label >= 0 and size.prod() >= MIN_INSIDE * area and objects < MAX_OBJECTS:
                boxes[objects], classes[objects] = clipped, label
                objects += 1
            elif rest < MAX_IGNORED:
                ignored[rest] = clipped
                rest += 1


assert ROWS * CELL == HEIGHT and COLUMNS * CELL == WIDTH
