"""Draws the pictures of the demo articles, so that the example ships no image files."""

import io
import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageOps

WIDTH, HEIGHT = 1600, 900
Draw = ImageDraw.ImageDraw


def jpeg(motif: str) -> bytes:
    """A picture of WIDTH x HEIGHT pixels. The same motif always gives the same picture."""
    top, bottom, scene = MOTIFS[motif]
    canvas = _sky(top, bottom)
    scene(ImageDraw.Draw(canvas, "RGBA"), random.Random(motif))
    file = io.BytesIO()
    canvas.save(file, "JPEG", quality=88)
    return file.getvalue()


def _sky(top: str, bottom: str) -> Image.Image:
    grey = Image.linear_gradient("L").resize((WIDTH, HEIGHT))
    return ImageOps.colorize(grey, top, bottom)


def _ridge(draw: Draw, chance: random.Random, level: float, height: float, colour: str, rough: float = 1.0) -> None:
    """A line of hills from one side to the other, filled down to the bottom."""
    waves = [(chance.uniform(0.6, 1.4) * 2**i * rough, chance.uniform(0, 6.3), 0.55**i) for i in range(6)]
    points = []
    for x in range(0, WIDTH + 9, 8):
        rise = sum(size * math.sin(x / WIDTH * 6.3 * pace + shift) for pace, shift, size in waves)
        points.append((x, HEIGHT * level - rise * height))
    draw.polygon([(0, HEIGHT), *points, (WIDTH, HEIGHT)], fill=colour)


def _disc(draw: Draw, x: float, y: float, radius: float, colour: str, halo: int = 0) -> None:
    for i in range(halo, 0, -1):
        r = radius * (1 + i * 0.28)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=f"{colour}14")
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)


def _mountains(draw: Draw, chance: random.Random) -> None:
    _disc(draw, 1130, 300, 92, "#fff3d6", halo=5)
    for level, height, colour in (
        (0.60, 110, "#8f7aa8"), (0.70, 95, "#6a5a92"), (0.80, 80, "#463f75"), (0.92, 60, "#262650"),
    ):
        _ridge(draw, chance, level, height, colour, rough=1.6)


def _harbour(draw: Draw, chance: random.Random) -> None:
    _disc(draw, 420, 420, 120, "#ffe2b8", halo=4)
    draw.rectangle((0, 560, WIDTH, HEIGHT), fill="#0f4c5c")
    for _ in range(150):
        y = chance.uniform(565, HEIGHT)
        length = 30 + (y - 560) * chance.uniform(0.2, 0.7)
        x = chance.gauss(420, 90 + (y - 560)) if chance.random() < 0.6 else chance.uniform(0, WIDTH)
        draw.line((x - length / 2, y, x + length / 2, y), fill="#ffe2b855", width=3)
    for x, size in ((880, 1.0), (1130, 1.5), (1420, 0.8)):
        base = 590 + 40 * size
        draw.polygon([(x - 95 * size, base - 28 * size), (x + 95 * size, base - 28 * size),
                      (x + 66 * size, base), (x - 70 * size, base)], fill="#082f3a")
        draw.polygon([(x, base - 40 * size), (x, base - 260 * size), (x + 86 * size, base - 40 * size)], fill="#fdf6ec")
        draw.polygon([(x - 9, base - 40 * size), (x - 9, base - 220 * size), (x - 62 * size, base - 40 * size)], fill="#e9d5bd")


def _city(draw: Draw, chance: random.Random) -> None:
    _disc(draw, 1240, 210, 64, "#f7f3e3", halo=4)
    for layer, (colour, tallest) in enumerate((("#2c3e66", 430), ("#1d2b4f", 360), ("#101a36", 260))):
        x = -30.0
        while x < WIDTH:
            width, height = chance.randint(70, 150), chance.randint(tallest // 3, tallest)
            top = HEIGHT - height - (2 - layer) * 90
            draw.rectangle((x, top, x + width, HEIGHT), fill=colour)
            for wx in range(int(x) + 14, int(x) + width - 16, 26):
                for wy in range(top + 18, HEIGHT, 34):
                    if chance.random() < 0.24 + 0.1 * layer:
                        draw.rectangle((wx, wy, wx + 11, wy + 16), fill=chance.choice(("#ffd98a", "#ffc35c", "#fff0c9")))
            x += width + chance.randint(-8, 22)


def _fields(draw: Draw, chance: random.Random) -> None:
    _disc(draw, 300, 250, 76, "#fffbe6", halo=4)
    for level, height, colour in ((0.52, 36, "#9cc5a1"), (0.62, 40, "#6fae76"), (0.74, 44, "#49875a")):
        _ridge(draw, chance, level, height, colour, rough=0.7)
    for i in range(-14, 30):
        draw.line((800 + i * 34, 690, 800 + i * 190, HEIGHT), fill="#2f6b4688", width=9)
    for x in (1010, 1180, 1340):
        size = 1.0 + (x - 1010) / 600
        top, base = 470 - 150 * size, 560 + 40 * size
        draw.polygon([(x - 5 * size, base), (x + 5 * size, base), (x + 2, top), (x - 2, top)], fill="#f7f7f2")
        turn = chance.uniform(0, 2)
        for blade in range(3):
            angle = turn + blade * 2.094
            tip = (x + 120 * size * math.cos(angle), top + 120 * size * math.sin(angle))
            side = (x + 12 * size * math.cos(angle + 1.2), top + 12 * size * math.sin(angle + 1.2))
            draw.polygon([(x, top), side, tip], fill="#ffffff")
        _disc(draw, x, top, 7 * size, "#dfe5dc")


def _stars(draw: Draw, chance: random.Random) -> None:
    for _ in range(620):
        x, y, r = chance.uniform(0, WIDTH), chance.uniform(0, 680), chance.choice((1, 1, 1, 2, 2, 3))
        if chance.random() < 0.5:
            y = 90 + x * 0.28 + chance.gauss(0, 70)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=f"#ffffff{chance.randint(90, 255):02x}")
    _ridge(draw, chance, 0.84, 44, "#1a2140")
    _ridge(draw, chance, 0.94, 30, "#0c1024")
    draw.rectangle((1105, 640, 1315, 770), fill="#0c1024")
    draw.pieslice((1095, 535, 1325, 765), 180, 360, fill="#151c38")
    draw.polygon([(1188, 660), (1238, 660), (1300, 530), (1262, 508)], fill="#ffd98a")
    draw.polygon([(1262, 508), (1300, 530), (1600, 60), (1440, 0)], fill="#ffd98a1c")


def _orchestra(draw: Draw, chance: random.Random) -> None:
    for i in range(26):
        radius = 960 - i * 34
        colour = ("#f2b5a7", "#e07a5f", "#81b29a", "#f2cc8f", "#3d405b")[i % 5]
        start = chance.uniform(150, 230)
        draw.arc((800 - radius, 860 - radius, 800 + radius, 860 + radius), start, start + chance.uniform(60, 170),
                 fill=colour, width=chance.choice((8, 14, 22)))
    for _ in range(46):
        angle, radius = chance.uniform(3.3, 6.1), chance.uniform(160, 840)
        _disc(draw, 800 + radius * math.cos(angle), 860 + radius * math.sin(angle), chance.uniform(5, 20), "#fdf6ec")


MOTIFS: dict[str, tuple[str, str, Callable[[Draw, random.Random], None]]] = {
    "mountains": ("#f6c48f", "#d98aa0", _mountains),
    "harbour": ("#f4a261", "#e9806e", _harbour),
    "city": ("#1b2a52", "#8a5a83", _city),
    "fields": ("#8fd0e8", "#fdf3d0", _fields),
    "stars": ("#0a0f2c", "#35406f", _stars),
    "orchestra": ("#1f2138", "#3d405b", _orchestra),
}
"""Name -> colours of the sky at its top and bottom, and what is drawn before it."""
