"""Draw folders and files of rsl_edu as boxes, and imports as arrows, which all point down.

The picture is SVG in the colours of the page around it (``book.css``), once for wide pages and once for phones. Shared
parts get no arrows; instead, a line in each box lists the shared parts that it imports.
"""

import dataclasses
import html
import itertools
import math
import textwrap
from collections.abc import Iterator

import house

Graph = dict[str, set[str]]


@dataclasses.dataclass(frozen=True)
class Form:
    """Sizes of a picture, in pixels.

    Attributes:
        name: Class of the picture in the style sheet.
        width: Width of the picture; the boxes are as wide as possible.
        most: Maximum number of boxes in a row.
        columns: Number of columns for the shared parts.
        font: Font size.
        lane: Width of the space in which an arrow passes the boxes of a row.
        gap: Distance between boxes.
        drop: Distance between rows, which the arrows need.
    """

    name: str
    width: float
    most: int
    columns: int
    font: float
    lane: float
    gap: float
    drop: float

    @property
    def line(self) -> float:
        """Height of a line of text."""
        return 1.35 * self.font

    @property
    def pad(self) -> float:
        """Distance between the edge of a box and its content."""
        return 0.65 * self.font


FORMS = (
    Form("rsl-wide", width=740, most=3, columns=4, font=14, lane=16, gap=20, drop=50),
    Form("rsl-narrow", width=328, most=2, columns=2, font=12, lane=8, gap=6, drop=42),
)


@dataclasses.dataclass(eq=False)
class Box:
    """A box. Without lines of text, it is the lane in which an arrow passes a row.

    Attributes:
        row: Number of its row, counted from the top.
        width: Its width.
        lines: Lines of text, each with its class in the style sheet.
        inner: Boxes inside, one below the other.
        ties: Pairs of indices in ``inner``: the first box imports the second.
        height: Its height.
        x, y: Position of its upper left corner.
    """

    row: int
    width: float
    lines: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    inner: list["Box"] = dataclasses.field(default_factory=list)
    ties: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    height: float = 0
    x: float = 0
    y: float = 0

    @property
    def middle(self) -> float:
        """Return the x of its middle."""
        return self.x + self.width / 2


Way = list[Box]
"""What an arrow passes, row by row: the box where it starts, lanes, and the box where it ends."""


# Content of the picture -----------------------------------------------------------------------------------------------


def picture() -> str:
    """Return the picture as HTML."""
    return f'<figure class="rsl-house">{"".join(map(drawn, FORMS))}</figure>'


def shared() -> set[str]:
    """Return the parts that are drawn separately: those below ``modules`` in the map."""
    parts = list(house.stated())
    return set(parts[parts.index("modules") + 1 :])


def rooms() -> Graph:
    """Return the imports between the folders and files directly in rsl_edu, without the shared ones."""
    found: Graph = {}
    for part, others in house.arrows().items():
        if part not in shared():
            room = part.partition("/")[0]
            found.setdefault(room, set()).update(other.partition("/")[0] for other in others - shared())
            found[room].discard(room)
    return found


def alternative() -> str:
    """Return a description of the picture for screen readers."""
    told = [f"{room} imports {', '.join(sorted(others))}" for room, others in rooms().items() if others]
    return f"Boxes in rows, with arrows that point down: {'; '.join(told)}. The table lists every import."


# Where it is ----------------------------------------------------------------------------------------------------------


def rows(imports: Graph, most: int) -> dict[str, int]:
    """Return a row for each room, below all rooms that import it; only the first row has more than ``most`` rooms."""
    row: dict[str, int] = {}
    first, *rest = sorted(imports, key=lambda room: -_depth(room, imports))
    for room in (first, *rest):
        row[room] = max((row[other] + 1 for other in row if room in imports[other]), default=0)
        while row[room] > 0 and _in_row(row[room], row) > most:
            row[room] += 1
    for room in rest:
        if row[room] == 0:  # nothing imports it: put it as close as possible to its own imports
            below = min((row[other] for other in imports[room]), default=1)
            places = [number for number in range(below - 1, 0, -1) if _in_row(number, row) < most]
            if not places and below > 1:  # make a new row for it
                row.update({other: number + 1 for other, number in row.items() if number >= below})
                places = [below]
            row[room] = places[0] if places else 0
    return row


def _in_row(number: int, row: dict[str, int]) -> int:
    """Return how many rooms are in a row."""
    return list(row.values()).count(number)


def _depth(room: str, imports: Graph) -> int:
    """Return the number of imports in the longest chain that starts from a room."""
    return max((_depth(other, imports) + 1 for other in imports[room]), default=0)


def _ways(boxes: dict[str, Box], imports: Graph, form: Form) -> list[Way]:
    """Return the paths of all arrows."""
    ways = []
    for room, other in sorted((room, other) for room, others in imports.items() for other in others):
        between = range(boxes[room].row + 1, boxes[other].row)
        ways.append([boxes[room], *(Box(row, form.lane) for row in between), boxes[other]])
    return ways


def _ordered(boxes: list[Box], ways: list[Way], form: Form) -> list[list[Box]]:
    """Return the boxes and lanes of each row in an order that makes few arrows cross and keeps arrows short."""
    everything = dict.fromkeys([*boxes, *itertools.chain(*ways)])
    order = [[box for box in everything if box.row == row] for row in range(1 + max(box.row for box in boxes))]
    best = _tangle(order, ways, form)
    improved = True
    while improved:
        improved = False
        for row in order:
            for i, j in itertools.combinations(range(len(row)), 2):
                row[i], row[j] = row[j], row[i]
                if (tangle := _tangle(order, ways, form)) < best:
                    best, improved = tangle, True
                else:
                    row[i], row[j] = row[j], row[i]
    return order


def _tangle(order: list[list[Box]], ways: list[Way], form: Form) -> tuple[int, float]:
    """Return the number of crossings and the total sideways length of arrows, with each row packed in the middle."""
    for row in order:
        _place(row, [form.width / 2] * len(row), form)
    levels: list[list[tuple[float, float]]] = [[] for _ in order]
    for way in ways:
        for box, below in itertools.pairwise(way):
            levels[box.row].append((box.middle, below.middle))
    pairs = [pair for level in levels for pair in itertools.combinations(level, 2)]
    crossings = sum((a - c) * (b - d) < 0 for (a, b), (c, d) in pairs)
    return crossings, sum(abs(a - b) for level in levels for a, b in level)


def _place(row: list[Box], middles: list[float], form: Form) -> None:
    """Put the boxes of a row, in this order, as close to the wanted middles as possible without overlaps."""
    spaces = [_space(box, form) for box in row]
    begins = [0.0, *itertools.accumulate(spaces)]  # where each box would start if all were packed
    blocks: list[list[float]] = []  # boxes that touch: how far each would move to the right
    for space, begin, middle in zip(spaces, begins, middles, strict=False):
        blocks.append([middle - space / 2 - begin])
        while len(blocks) > 1 and _mean(blocks[-2]) >= _mean(blocks[-1]):
            block = blocks.pop()
            blocks[-1] += block
    left, right = (0.5 * (_space(box, form) - box.width) for box in (row[0], row[-1]))
    least, most = 1 - left, form.width - 1 + right - begins[-1]
    moves = [min(max(_mean(block), least), most) for block in blocks for _ in block]
    for box, space, begin, move in zip(row, spaces, begins, moves, strict=False):
        box.x = begin + move + (space - box.width) / 2


def _space(box: Box, form: Form) -> float:
    """Return the width that a box needs, including its share of the gaps."""
    return box.width + (form.gap if box.lines else 0)


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def _straighten(order: list[list[Box]], ways: list[Way], form: Form) -> None:
    """Move all boxes, without changing their order, towards the boxes that arrows connect them to."""
    joined: dict[Box, list[Box]] = {}
    for way in ways:
        for box, below in itertools.pairwise(way):
            weight = 1 if box.lines or below.lines else 8  # keep arrows that pass several rows straight
            joined.setdefault(box, []).extend([below] * weight)
            joined.setdefault(below, []).extend([box] * weight)
    for _ in range(30):
        for row in order:
            _place(row, [_mean([other.middle for other in joined.get(box, [box])]) for box in row], form)


# Content of a box -----------------------------------------------------------------------------------------------------


def _room(room: str, row: int, width: float, form: Form) -> Box:
    """Return the box of a room with the boxes of its parts, if it has any."""
    arrows = house.arrows()
    parts = [part for part in house.stated() if part.partition("/")[0] == room]
    if len(parts) == 1:
        return _box(room, row, width, form)
    places = {part: place for place, part in enumerate(parts)}
    ties = [(places[part], places[other]) for part in parts for other in arrows[part] if other in places]
    aside = form.lane if any(abs(a - b) > 1 for a, b in ties) else 0
    inner = [_box(part, row, width - 2 * form.pad - aside, form, within=room) for part in parts]
    height = 2 * form.pad + 1.3 * form.line + sum(box.height for box in inner) + (len(inner) - 1) * form.line
    return Box(row, width, [("rsl-name", f"{room}/")], inner, sorted(ties), height)


def _box(part: str, row: int, width: float, form: Form, within: str = "") -> Box:
    """Return the box of a part: its name, its description, and the shared parts that it imports."""
    name = part.removeprefix(f"{within}/") + ("/" if house.is_folder(part) else ".py")
    if part == within:
        names = sorted(file.stem for file in (house.PACKAGE / part).glob("[!_]*.py"))
        name = ", ".join(names) if len(names) <= 3 else f"{names[0]} … {names[-1]}"
    uses = ", ".join(sorted(house.arrows()[part] & shared()))
    texts = {
        "rsl-name": name,
        "rsl-words": house.stated()[part].words.replace("`", ""),
        "rsl-uses": uses and f"+\N{NO-BREAK SPACE}{uses}",
    }
    room_for = width - 2 * form.pad
    letters = {"rsl-name": 0.61, "rsl-words": 0.54, "rsl-uses": 0.51}  # average widths of letters at font size 1
    lines = [
        (kind, line)
        for kind, text in texts.items()
        for line in textwrap.wrap(text, int(room_for / letters[kind] / form.font), break_on_hyphens=False)
    ]
    return Box(row, width, lines, height=len(lines) * form.line + 2 * form.pad)


# Drawing --------------------------------------------------------------------------------------------------------------


def drawn(form: Form) -> str:
    """Return the picture in one form."""
    imports = rooms()
    row = rows(imports, form.most)
    width = _box_width(row, imports, form)
    boxes = {room: _room(room, row[room], width, form) for room in imports}
    ways = _ways(boxes, imports, form)
    order = _ordered(list(boxes.values()), ways, form)
    _straighten(order, ways, form)
    top = 1.0
    for level in order:
        height = max(box.height for box in level)
        for box in level:
            box.y, box.height = top, box.height or height
        top += height + form.drop
    panel, bottom = _panel(top - 0.4 * form.drop, form)
    inside = "".join([*_arrows(order, ways), *(_drawn(box, form) for box in boxes.values()), panel])
    size = f'viewBox="0 0 {form.width:g} {bottom:.0f}" font-size="{form.font:g}"'
    return f'<svg class="{form.name}" {size} role="img" aria-label="{html.escape(alternative())}">{inside}</svg>'


def _box_width(row: dict[str, int], imports: Graph, form: Form) -> float:
    """Return the width of boxes for which the fullest row fits."""
    widths = []
    for level in set(row.values()):
        lanes = sum(row[room] < level < row[other] for room, others in imports.items() for other in others)
        widths.append((form.width - 2 - lanes * form.lane) / _in_row(level, row) - form.gap)
    return min(widths)


def _arrows(order: list[list[Box]], ways: list[Way]) -> Iterator[str]:
    """Yield the arrows between boxes: curved in the gap under each row, and straight next to the boxes."""
    bottoms = [max(box.y + box.height for box in row) for row in order]
    begins, ends = _ports(ways), _ports([way[::-1] for way in ways])
    for number, way in enumerate(ways):
        x = begins[number]
        path = f"M{x:.1f} {way[0].y + way[0].height:.1f}"
        for box, below in itertools.pairwise(way):
            target = below.middle if below is not way[-1] else ends[number]
            half = (bottoms[box.row] + below.y) / 2
            path += f"V{bottoms[box.row]:.1f}C{x:.1f} {half:.1f} {target:.1f} {half:.1f} {target:.1f} {below.y:.1f}"
            x = target
        yield _arrow(path, x, way[-1].y)


def _ports(ways: list[Way]) -> list[float]:
    """Return the x where each path leaves its first box: side by side, in the order of their targets."""
    places = []
    for way in ways:
        beside = sorted(other[1].middle for other in ways if other[0] is way[0])
        places.append(way[0].x + way[0].width * (beside.index(way[1].middle) + 1) / (len(beside) + 1))
    return places


def _drawn(box: Box, form: Form) -> str:
    """Return a box with its text and its inner boxes."""
    kind = "rsl-folder" if box.lines[0][1].endswith("/") else "rsl-file"
    parts = [_rectangle(kind, box.x, box.y, box.width, box.height), _text(box, form)]
    y = box.y + form.pad + 1.3 * form.line
    for inner in box.inner:
        inner.x, inner.y = box.x + form.pad, y
        y += inner.height + form.line
        parts.append(_drawn(inner, form))
    for first, second in ((box.inner[a], box.inner[b]) for a, b in box.ties):
        bottom = first.y + first.height
        if second.y - bottom < 2 * form.line:  # the next box
            parts.append(_arrow(f"M{first.middle:.1f} {bottom:.1f}V{second.y:.1f}", first.middle, second.y))
        else:
            right, begin, end = first.x + first.width, bottom - first.height / 2, second.y + second.height / 2
            path = f"M{right:.1f} {begin:.1f}h{form.lane:g}V{end:.1f}h{-form.lane:g}"
            parts.append(_arrow(path, right, end, turned=90))
    return "".join(parts)


def _panel(top: float, form: Form) -> tuple[str, float]:
    """Return the shared parts, which are below the rows, and the bottom of the picture."""
    parts = [part for part in house.stated() if part in shared()]
    lines = math.ceil(len(parts) / form.columns)
    columns = math.ceil(len(parts) / lines)
    boxes = [_box(part, 0, form.width / columns, form) for part in parts]
    heading = Box(0, form.width, [("rsl-words", "Shared parts, named after a + in the boxes:")], x=0, y=top)
    drawn, bottom = _text(heading, form), top + 1.3 * form.line
    for number in range(lines):
        row = boxes[number * columns : (number + 1) * columns]
        for place, box in enumerate(row):
            box.x, box.y = place * box.width, bottom
            drawn += _text(box, form)
        bottom += max(box.height for box in row)
    return _rectangle("rsl-shared", 1, top, form.width - 2, bottom - top) + drawn, bottom + 2


def _text(box: Box, form: Form) -> str:
    """Return the text of a box."""
    x, top = box.x + form.pad, box.y + form.pad - 0.35 * form.font
    lines = ((kind, top + number * form.line, html.escape(line)) for number, (kind, line) in enumerate(box.lines, 1))
    return "".join(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{line}</text>' for kind, y, line in lines)


def _rectangle(kind: str, x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5"/>'


def _arrow(path: str, x: float, y: float, turned: int = 0) -> str:
    """Return an arrow along a path. Its head is at ``x`` and ``y``, and points down or is turned by some degrees."""
    head = f'<path class="rsl-head" d="M0 0l-4 -8h8z" transform="translate({x:.1f} {y:.1f}) rotate({turned})"/>'
    return f'<path class="rsl-arrow" d="{path}"/>{head}'
