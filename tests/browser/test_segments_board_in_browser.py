"""客户分群板在真实的浏览器里：算得和 Python 一样；键盘、拖线都能用；能还原。"""

import pytest
from conftest import show_board, slide

from crmlib.boards import segments

pytestmark = pytest.mark.browser


def test_three_cuts_recolour_the_map(page):
    board = segments.read("rfm")
    show_board(page, "segments", board, ".crm-seg")

    def counts():
        return {row.get_attribute("data-name"): int(row.locator("b").inner_text().replace(",", ""))
                for row in page.locator("tbody tr").all()}

    def told(**cuts):
        return {name: group["n"] for name, group in segments.judge(board, cuts).items()}

    assert counts() == {name: group["n"] for name, group in segments.judge(board).items()}
    for cut, value in zip(board["cuts"], (30, 8, 200), strict=True):
        slide(page, cut["title"], value)
    assert counts() == told(R=30, F=8, M=200)
    assert "80 位" in page.locator("[role=status]").inner_text()
    page.get_by_label(board["cuts"][0]["title"], exact=True).press("ArrowRight")
    assert counts() == told(R=35, F=8, M=200)
    box = page.locator("canvas").bounding_box()
    near = page.evaluate("parseFloat(getComputedStyle(document.querySelector('.crm-seg-frame')).fontSize)")
    left, right = box["x"] + 4 * near, box["x"] + box["width"] - .9 * near
    where = left + 35 / 364 * (right - left)
    page.mouse.move(where, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(where + 60, box["y"] + 30, steps=3)
    page.mouse.up()
    assert int(page.locator("output").first.inner_text().split()[0]) > 35  # 线在图上拖得动
    page.get_by_role("button", name="还原").click()
    assert counts()["重要价值客户"] == 303


def test_slider_for_k(page):
    board = segments.read(scaled=False)
    show_board(page, "segments", board, ".crm-seg")

    def sizes():
        return [int(cell.inner_text()) for cell in page.locator("tbody td b").all()]

    slide(page, "群数 k", 4)
    assert sizes() == [group["n"] for group in segments.portrait(board, 4, False)]
    page.get_by_role("switch", name="换成同一把尺子").click()
    assert sizes() == [group["n"] for group in segments.portrait(board, 4, True)]
    slide(page, "群数 k", 3)
    assert page.locator("[data-figure=silhouette]").inner_text() == "0.539"
    page.get_by_label("竖轴").select_option(label="件均重量")
    assert "3 群" in page.locator("canvas").get_attribute("aria-label")
    rows = page.evaluate("""() => {
      const node = document.querySelector("[aria-label='群数 k']");
      return [8, 2, 5].map((v) => { node.value = v; node.dispatchEvent(new Event("change"));
        return document.querySelectorAll("tbody tr").length; });
    }""")
    assert rows == [8, 2, 5]  # 不等内核，当场就换
