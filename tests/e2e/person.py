"""What a person does on the page again and again: log in, give pictures, ask."""

import io
from collections.abc import Iterator

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect
from tests.e2e.browser import open_page
from tests.e2e.product import PASSWORD, Product


def visit(browser: Browser, product: Product, *, locale: str, dark: bool = False) -> Iterator[Page]:
    """A page that is logged in, checked for complaints at the end."""
    visitor, complaints = open_page(browser, product.url, locale=locale, dark=dark)
    visitor.goto("/playground")
    log_in(visitor, product)
    yield visitor
    visitor.context.close()
    assert complaints.found == []


def log_in(page: Page, product: Product) -> None:
    """Log in by the form, and through the forced change where it is still due."""
    initial = product.data / "initial_admin_password"
    password = initial.read_text().strip() if initial.exists() else PASSWORD
    page.locator("input[autocomplete=current-password]").fill(password)
    page.locator("button[type=submit]").click()
    if password != PASSWORD:
        change_password(page, password)
    expect(page.get_by_role("navigation")).to_be_visible()


def change_password(page: Page, current: str) -> None:
    """Fill in the form of a password change."""
    new = page.locator("input[autocomplete=new-password]")
    expect(new).to_have_count(2)
    page.locator("input[autocomplete=current-password]").fill(current)
    new.nth(0).fill(PASSWORD)
    new.nth(1).fill(PASSWORD)
    page.locator("button[type=submit]").click()


def drawing(colour: str, size: tuple[int, int] = (112, 112)) -> bytes:
    """A filled circle on white, as PNG."""
    picture = Image.new("RGB", size, "white")
    side = min(size)
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    box = (left + side * 0.23, top + side * 0.23, left + side * 0.77, top + side * 0.77)
    ImageDraw.Draw(picture).ellipse(box, fill=colour)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def upload(page: Page, *pictures: bytes) -> None:
    """Choose pictures by the button above the input."""
    files = [
        {"name": f"drawing-{number}.png", "mimeType": "image/png", "buffer": picture}
        for number, picture in enumerate(pictures)
    ]
    page.locator("input[type=file]").set_input_files(files)  # type: ignore[arg-type]
    expect(page.locator("[data-picture]")).to_have_count(len(pictures))


def ask(page: Page, text: str, submit: str = "Submit") -> str:
    """The whole answer to ``text``, in lower case, once it is drawn as Markdown."""
    page.locator("textarea").first.fill("")
    page.get_by_role("textbox", name="Message").or_(page.get_by_role("textbox", name="消息")).fill(text)
    page.get_by_role("button", name=submit, exact=True).click()
    answer = page.locator("[data-turn=assistant]").last
    expect(answer).to_have_attribute("data-state", "done")
    expect(answer.locator("[data-plain]")).to_have_count(0)
    return answer.locator("[data-answer]").inner_text().lower()
