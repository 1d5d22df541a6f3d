"""An explorer in a page, as a learner finds it."""

import base64

from playwright.sync_api import Locator, Page, expect

PICTURE = """async image => {
    const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
    return btoa(Array.from(bytes, byte => String.fromCharCode(byte)).join(""));
}"""


def bring_into_view(page: Page, what: Locator) -> Locator:
    """Scroll until it is there: a notebook renders only the cells that are in view."""
    for _ in range(100):
        if what.count():
            break
        page.locator(".jp-WindowedPanel-outer, .jp-Notebook").first.hover()
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(200)
    what.first.scroll_into_view_if_needed()
    return what.first


class Shown:
    """An explorer as it stands in a page."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        group = bring_into_view(page, page.get_by_role("group", name=name, exact=True))
        group.evaluate("(group, name) => { group.dataset.test = name; }", name)
        self.group = page.locator(f"[data-test='{name}']")  # by its role it would be sought in the whole page each time
        self.caption = self.group.get_by_role("status")
        self.error = self.group.get_by_role("alert")
        expect(self.caption).not_to_be_empty()

    def picture(self) -> bytes:
        return base64.b64decode(self.group.locator("img").evaluate(PICTURE))

    def wait_for(self, picture: bytes) -> None:
        """Wait until this picture is shown."""
        self._wait_until(lambda there: there == picture)

    def wait_for_another(self, than: bytes) -> None:
        """Wait until another picture is shown."""
        self._wait_until(lambda there: there != than)

    def _wait_until(self, wanted) -> None:
        """Look at each picture that comes, until one is wanted; without one, the page's timeout ends it."""
        image = self.group.locator("img")
        while True:
            address = image.get_attribute("src")
            if wanted(self.picture()):
                return
            self.page.wait_for_function(
                "([image, before]) => image.src !== before", arg=[image.element_handle(), address]
            )
