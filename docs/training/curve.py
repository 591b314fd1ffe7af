"""The loss and the mean AP of a training as a picture: log.jsonl -> SVG. Needs Python alone."""

import argparse
import json
import math
from pathlib import Path

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 300, 48, 48, 16, 36
LOSSES = (1, 2, 5, 10, 20)
APS = (0, 20, 40, 60, 80)

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("log", help="log.jsonl of train.py")
parser.add_argument("-o", "--output", required=True, help="SVG file")
given = parser.parse_args()
rows = [json.loads(line) for line in Path(given.log).read_text().splitlines()]
last = rows[-1]["step"]


def x(step):
    return LEFT + (WIDTH - LEFT - RIGHT) * step / last


def y(part):
    """0: at the bottom, 1: at the top"""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - part)


def loss_part(loss):
    low, high = math.log(LOSSES[0]), math.log(LOSSES[-1])
    return (math.log(loss) - low) / (high - low)


def line(points, color):
    path = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
    return f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="1.5"/>'


def text(px, py, words, anchor, color="#666"):
    return f'<text x="{px:.1f}" y="{py:.1f}" text-anchor="{anchor}" fill="{color}">{words}</text>'


aps = [(x(row["step"]), y(row["meanAp"] / APS[-1])) for row in rows if "meanAp" in row]
parts = [
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
    "<title>Loss and mean AP by step</title>",
    f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    *(f'<path d="M{LEFT} {y(loss_part(loss)):.1f}H{WIDTH - RIGHT}" stroke="#eee"/>' for loss in LOSSES),
    *(text(LEFT - 6, y(loss_part(loss)) + 4, loss, "end", "#1f5fbf") for loss in LOSSES),
    *(text(WIDTH - RIGHT + 6, y(ap / APS[-1]) + 4, ap, "start", "#b3500f") for ap in APS),
    *(text(x(step), HEIGHT - BOTTOM + 16, step, "middle") for step in range(0, last + 1, 500)),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, "steps", "middle"),
    text(LEFT + 24, TOP + 10, "loss", "start", "#1f5fbf"),
    text(WIDTH - RIGHT - 6, TOP + 10, "mean AP, %", "end", "#b3500f"),
    line([(x(row["step"]), y(min(1, max(0, loss_part(row["loss"]))))) for row in rows if "loss" in row], "#1f5fbf"),
    line(aps, "#b3500f"),
    *(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="#b3500f"/>' for px, py in aps),
    "</svg>",
]
Path(given.output).write_text("\n".join(parts) + "\n")
