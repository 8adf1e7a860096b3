"""Plots lines over queue depth as SVG, without dependencies."""

import math
from dataclasses import dataclass
from xml.sax.saxutils import escape

COLOURS = {"floor": "#888888", "lunar": "#1f6feb", "tgtd": "#d1570a", "istgt": "#2da44e",
           "4 KiB": "#1f6feb", "16 KiB": "#d1570a", "64 KiB": "#2da44e"}
WIDTH, HEIGHT, LEFT, TOP, GAP, LOW = 420, 260, 70, 40, 90, 30


def colour(name):
    return COLOURS.get(name, "#8250df")


def _ticks(top):
    step = 10 ** math.floor(math.log10(top / 2)) if top > 0 else 1
    while top / step > 6:
        step *= 2 if str(int(step))[0] != "2" else 2.5
    return [step * i for i in range(int(top / step) + 1)]


def _label(value):
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


@dataclass(frozen=True)
class Panel:
    """lines: {name: [(depth, value)]}. log: whether the vertical axis is logarithmic too."""

    title: str
    lines: dict
    unit: str = ""
    log: bool = False


def _panel(x0, top, panel):
    lines = panel.lines
    depths = sorted({depth for points in lines.values() for depth, _ in points})
    values = [value for points in lines.values() for _, value in points if value > 0]
    if panel.log:
        ticks = [10.0 ** e for e in range(math.floor(math.log10(min(values))),
                                          math.ceil(math.log10(max(values))) + 1)]
        low, high = math.log10(ticks[0]), math.log10(ticks[-1])
        place = lambda value: (math.log10(value) - low) / (high - low)
    else:
        ticks = _ticks(max(values) * 1.05)
        place = lambda value: value / (max(values) * 1.05)
    wide = max(1, math.log2(depths[-1]) - math.log2(depths[0]))
    at_x = lambda depth: x0 + (math.log2(depth) - math.log2(depths[0])) / wide * WIDTH
    at_y = lambda value: top + HEIGHT - place(value) * HEIGHT
    yield f'<text x="{x0}" y="{top - 16}" font-weight="bold">{escape(panel.title)}</text>'
    for tick in ticks:
        y = at_y(tick)
        yield f'<path d="M{x0} {y:.1f}h{WIDTH}" stroke="#ddd"/>'
        yield f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{_label(tick)}{panel.unit}</text>'
    for depth in depths:
        yield (f'<text x="{at_x(depth):.1f}" y="{top + HEIGHT + 18}" text-anchor="middle">{depth}'
               "</text>")
    for name, points in lines.items():
        path = " ".join(f"{at_x(depth):.1f},{at_y(value):.1f}" for depth, value in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour(name)}" stroke-width="2"/>'
        for depth, value in points:
            yield (f'<circle cx="{at_x(depth):.1f}" cy="{at_y(value):.1f}" r="2.5" '
                   f'fill="{colour(name)}"/>')


def draw(rows) -> str:
    """Rows of panels over queue depth. The legend describes the lines of the first one."""
    width = LEFT + len(rows[0]) * (WIDTH + GAP) - GAP + 30
    legend = len(rows) * (TOP + HEIGHT + LOW) + 16
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {legend + 24}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{legend + 24}" fill="white"/>']
    for i, row in enumerate(rows):
        for j, panel in enumerate(row):
            parts += _panel(LEFT + j * (WIDTH + GAP), TOP + i * (TOP + HEIGHT + LOW), panel)
    x = LEFT
    for name in rows[0][0].lines:
        parts.append(f'<rect x="{x}" y="{legend - 9}" width="12" height="10" fill="{colour(name)}"/>')
        parts.append(f'<text x="{x + 17}" y="{legend}">{escape(name)}</text>')
        x += 40 + 8 * len(name)
    parts.append(f'<text x="{x + 20}" y="{legend}" fill="#555">over queue depth</text>')
    return "\n".join([*parts, "</svg>", ""])
