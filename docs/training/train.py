"""Trains SqueezeDet on scenes from random weights. Killed at any time, it goes on with --resume. See README.md."""

import argparse
import contextlib
import json
import math
import os
import signal
import time
from pathlib import Path

import numpy as np
import torch

from average_precision import detections, read_truth, table
from loss import loss
from scenes import Scenes
from squeezedet import HEIGHT, WIDTH, SqueezeDet, anchor_grid

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--scenes", required=True, help="folder of `rapsim scenes` to train on")
parser.add_argument("--validation", required=True, help="folder of another seed")
parser.add_argument("-o", "--output", required=True, help="folder for checkpoint.pt and log.jsonl")
parser.add_argument("--anchors", default=str(Path(__file__).with_name("anchors.json")))
parser.add_argument("--crop", default="624x192", help="width x height in the first phase, multiples of 16")
parser.add_argument("--crop-steps", type=int, default=8000, help="steps on crops")
parser.add_argument("--full-steps", type=int, default=2000, help="steps on whole pictures after that")
parser.add_argument("--batch", type=int, default=16, help="crops per step")
parser.add_argument("--full-batch", type=int, default=8, help="whole pictures per step")
parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
parser.add_argument("--decay", type=float, default=1e-4, help="weight decay")
parser.add_argument("--clip", type=float, default=20.0, help="longest gradient")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
parser.add_argument("--validate-every", type=int, default=500, help="steps between validations")
parser.add_argument("--validate-count", type=int, default=100, help="scenes of a validation")
parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long, with a checkpoint")
parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the output folder")
options = parser.parse_args()

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(options.threads)
torch.manual_seed(options.seed)
WARM_UP, LOG_EVERY = 300, 20
total_steps = options.crop_steps + options.full_steps
crop = tuple(int(part) for part in options.crop.split("x"))
output = Path(options.output)
output.mkdir(parents=True, exist_ok=True)
checkpoint = output / "checkpoint.pt"

scenes = Scenes(options.scenes, device)
validation = Scenes(options.validation, device)
anchors = json.loads(Path(options.anchors).read_text())
grid = anchor_grid(anchors, device)
model = SqueezeDet().to(device, memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(model.parameters(), options.rate, weight_decay=options.decay)
# mixed precision on a GPU; bfloat16 has float32's range, so nothing is scaled
precision = torch.autocast("cuda", torch.bfloat16) if device == "cuda" else contextlib.nullcontext()
step, seconds = 0, 0.0
if options.resume:
    state = torch.load(checkpoint, map_location=device)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    step, seconds = state["step"], state["seconds"]
    if state["anchors"] != anchors:
        raise SystemExit(f"{checkpoint}: was trained with other anchors than {options.anchors}")
elif checkpoint.exists():
    raise SystemExit(f"{checkpoint}: a training is there already; go on with --resume, or name another folder")


def rate_at(step):
    """Rises for a while, then falls along half a cosine to a hundredth."""
    if step < WARM_UP:
        return options.rate * (step + 1) / WARM_UP
    return options.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (total_steps - WARM_UP))))


def save():
    """Whole or not at all."""
    partial = checkpoint.with_suffix(".partial")
    torch.save(
        {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
         "seconds": seconds, "anchors": anchors, "options": vars(options)},
        partial,
    )
    os.replace(partial, checkpoint)


def log(**values):
    line = json.dumps({"step": step, "minutes": round(seconds / 60, 1), **values})
    print(line, flush=True)
    with open(output / "log.jsonl", "a") as file:
        file.write(line + "\n")


@torch.no_grad()
def validate():
    model.eval()
    count = min(options.validate_count, len(validation))
    found = []
    for start in range(0, count, 4):
        images = validation.whole(range(start, min(count, start + 4))).contiguous(memory_format=torch.channels_last)
        with precision:
            head = model(images)
        found += detections(head, grid.reshape(-1, 4))
    model.train()
    aps = table([read_truth(path) for path in validation.label_paths[:count]], found)
    values = [value for levels in aps.values() for value in levels.values()]
    rounded = {name: {level: round(100 * value, 1) for level, value in levels.items()} for name, levels in aps.items()}
    log(meanAp=round(100 * float(np.nanmean(values)), 2), aps=rounded)


stopping = False


def stop(*_):
    global stopping
    stopping = True


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
model.train()
sums, summed, began, session = {}, 0, time.time(), time.time()
while step < total_steps and not stopping and time.time() - session < 60 * options.minutes:
    is_full = step >= options.crop_steps
    size, batch = ((WIDTH, HEIGHT), options.full_batch) if is_full else (crop, options.batch)
    # a step's draws depend on its number alone, so that a resumed training goes the same way
    random = np.random.default_rng([options.seed, step])
    indices = random.choice(len(scenes), batch, replace=False)
    images, boxes, classes, ignored, grids = scenes.batch(indices, size, grid, random)
    for group in optimizer.param_groups:
        group["lr"] = rate_at(step)
    with precision:
        head = model(images.contiguous(memory_format=torch.channels_last))
    value, parts = loss(head, boxes, classes, ignored, grids)
    optimizer.zero_grad(set_to_none=True)
    value.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
    optimizer.step()
    step += 1
    for name, part in {"loss": value, **parts}.items():
        sums[name] = sums.get(name, 0) + part.detach()
    summed += 1
    if step % LOG_EVERY == 0:
        took = time.time() - began
        seconds += took
        means = {name: round(float(part) / summed, 3) for name, part in sums.items()}
        if not math.isfinite(means["loss"]):
            raise SystemExit(f"step {step}: the loss is {means['loss']}; resume with a lower --rate")
        log(**means, imagesPerSecond=round(summed * batch / took, 2), rate=round(rate_at(step), 6))
        sums, summed, began = {}, 0, time.time()
    if step % options.save_every == 0:
        save()
    if step % options.validate_every == 0 or step == total_steps:
        validate()
        began = time.time()
save()
