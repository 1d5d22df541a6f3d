"""An explorer in a page, as a learner sees and uses it."""

from playwright.sync_api import Locator, Page, expect

LAYERS = """group => [...group.querySelectorAll(".rsl-panel > svg:first-child > g")]
    .map(layer => layer.innerHTML.replace(/\\brsl\\d+-/g, "rsl-"))"""
"""The background and the moving layer of each panel, with the names of elements as the kernel sent them."""
POLLING = 50  # ms; reading hundreds of KB of SVG at each frame would keep the page from drawing it
SAME = """([group, wanted]) => {
    const layers = [...group.querySelectorAll(".rsl-panel > svg:first-child > g")];
    return wanted.every((svg, i) => {
        const layer = document.createElementNS("http://www.w3.org/2000/svg", "g");
        layer.innerHTML = svg;
        return layer.innerHTML === layers[i].innerHTML.replace(/\\brsl\\d+-/g, "rsl-");
    });
}"""


def drawn(live) -> list[str]:
    """Return the layers of an explorer of this process, in the same order as in the page."""
    return [getattr(live, f"{layer}{i}") for i in range(len(live.spec["panels"])) for layer in ("ground", "moving")]


def bring_into_view(page: Page, what: Locator) -> Locator:
    """Scroll until an element exists, because a notebook renders only the cells in view."""
    for _ in range(100):
        if what.count():
            break
        page.locator(".jp-WindowedPanel-outer, .jp-Notebook").first.hover()
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(200)
    what.first.scroll_into_view_if_needed()
    return what.first


class Shown:
    """An explorer in a page."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        group = bring_into_view(page, page.get_by_role("group", name=name, exact=True))
        group.evaluate("(group, name) => { group.dataset.test = name; }", name)
        self.group = page.locator(
            f"[data-test='{name}']"
        )  # finding it by its role would search the whole page each time
        self.caption = self.group.locator("figcaption")
        self.title = self.group.locator(".rsl-title")
        self.error = self.group.get_by_role("alert")
        expect(self.caption).not_to_be_empty()

    def picture(self) -> list[str]:
        """Return the layers that the page shows."""
        layers: list[str] = self.group.evaluate(LAYERS)
        return layers

    def control(self, label: str) -> Locator:
        """Return the slider, list or checkbox of a control."""
        return self.group.get_by_label(label, exact=True).first

    def wait_for(self, live) -> None:
        """Wait until the page shows the same picture as a widget in this process."""
        self.page.wait_for_function(SAME, arg=[self.group.element_handle(), drawn(live)], polling=POLLING)

    def wait_for_another(self, than: list[str]) -> None:
        """Wait until the page shows another picture."""
        handle = self.group.element_handle()
        self.page.wait_for_function(
            f"([group, before]) => String(({LAYERS})(group)) !== String(before)", arg=[handle, than], polling=POLLING
        )
