"""A plot of lines over queue depth, as SVG that needs nothing else."""

import math
from xml.sax.saxutils import escape

COLOURS = {"floor": "#888888", "lunar": "#1f6feb", "tgtd": "#d1570a", "istgt": "#2da44e"}
WIDTH, HEIGHT, LEFT, TOP, GAP = 420, 260, 70, 40, 90


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


def _panel(x0, title, unit, lines, log):
    """lines: {name: [(depth, value)]}. log: whether the vertical axis is logarithmic too."""
    depths = sorted({depth for points in lines.values() for depth, _ in points})
    values = [value for points in lines.values() for _, value in points if value > 0]
    if log:
        ticks = [10.0 ** e for e in range(math.floor(math.log10(min(values))),
                                          math.ceil(math.log10(max(values))) + 1)]
        low, high = math.log10(ticks[0]), math.log10(ticks[-1])
        place = lambda value: (math.log10(value) - low) / (high - low)
    else:
        ticks = _ticks(max(values) * 1.05)
        place = lambda value: value / (max(values) * 1.05)
    wide = max(1, math.log2(depths[-1]) - math.log2(depths[0]))
    at_x = lambda depth: x0 + (math.log2(depth) - math.log2(depths[0])) / wide * WIDTH
    at_y = lambda value: TOP + HEIGHT - place(value) * HEIGHT
    yield f'<text x="{x0}" y="{TOP - 16}" font-weight="bold">{escape(title)}</text>'
    for tick in ticks:
        y = at_y(tick)
        yield f'<path d="M{x0} {y:.1f}h{WIDTH}" stroke="#ddd"/>'
        yield f'<text x="{x0 - 6}" y="{y + 4:.1f}" text-anchor="end">{_label(tick)}{unit}</text>'
    for depth in depths:
        yield (f'<text x="{at_x(depth):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">{depth}'
               "</text>")
    for name, points in lines.items():
        path = " ".join(f"{at_x(depth):.1f},{at_y(value):.1f}" for depth, value in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour(name)}" stroke-width="2"/>'
        for depth, value in points:
            yield (f'<circle cx="{at_x(depth):.1f}" cy="{at_y(value):.1f}" r="2.5" '
                   f'fill="{colour(name)}"/>')


def draw(iops, p50_us, title) -> str:
    """Two panels beside each other. Each argument: {name: [(depth, value)]}."""
    width = LEFT + WIDTH + GAP + WIDTH + 30
    height = TOP + HEIGHT + 70
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="white"/>']
    parts += _panel(LEFT, f"{title}: IOPS", "", iops, log=False)
    parts += _panel(LEFT + WIDTH + GAP, f"{title}: p50 latency, us", "", p50_us, log=True)
    x = LEFT
    for name in iops:
        y = TOP + HEIGHT + 46
        parts.append(f'<rect x="{x}" y="{y - 9}" width="12" height="10" fill="{colour(name)}"/>')
        parts.append(f'<text x="{x + 17}" y="{y}">{escape(name)}</text>')
        x += 40 + 8 * len(name)
    parts.append(f'<text x="{x + 20}" y="{TOP + HEIGHT + 46}" fill="#555">over queue depth</text>')
    return "\n".join([*parts, "</svg>", ""])
