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
        self.group = bring_into_view(page, page.get_by_role("group", name=name, exact=True))
        self.caption = self.group.get_by_role("status")
        self.error = self.group.get_by_role("alert")
        expect(self.caption).not_to_be_empty()

    def picture(self) -> bytes:
        return base64.b64decode(self.group.locator("img").evaluate(PICTURE))

    def changes(self, act, *arguments, seconds=12, **options) -> bool:
        """Return whether the picture becomes another one after ``act``, in time."""
        before = self.picture()
        act(*arguments, **options)
        return self.differs(before, seconds)

    def differs(self, before: bytes, seconds: int) -> bool:
        """Return whether the picture becomes another one, in time."""
        return self._comes(lambda picture: picture != before, seconds)

    def one_changes(self, act, each, value=object) -> bool:
        """Return whether ``act`` on one of these changes the picture.

        Not each must: patience is for the last, and where ``value`` stays the same, the next is tried at once.
        """
        *first, last = each
        for one in first:
            there, before = value(), self.picture()
            act(one)
            if value() != there and self.differs(before, seconds=2):
                return True
        return self.changes(act, last)

    def becomes(self, picture: bytes, seconds: int = 30) -> bool:
        """Return whether the picture becomes this one, in time."""
        return self._comes(lambda there: there == picture, seconds)

    def _comes(self, wanted, seconds: int) -> bool:
        """Return whether a picture comes that is wanted; each is looked at once."""
        image, seen = self.group.locator("img"), None
        for _ in range(20 * seconds):
            address = image.get_attribute("src")
            if address != seen and wanted(self.picture()):
                return True
            seen = address
            self.page.wait_for_timeout(50)
        return False
