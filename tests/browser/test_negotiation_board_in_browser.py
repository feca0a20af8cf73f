"""洽谈板在真实的浏览器里：算得和 Python 一样；密卷松手就合上；两个人谈完，记录送回内核。"""

import json
from itertools import product
from pathlib import Path

import pytest

from crmlib import boards
from crmlib.boards.negotiation import better, points, read
from crmlib.widgets import script, style

pytestmark = pytest.mark.browser
FOLDER = Path(boards.__file__).parent
PAGE = """<meta charset="utf-8"><style>%s</style><body data-jp-theme-light="true">
<div id="here" style="container-type:inline-size"></div>
<script type="module">%s
const heard = {};
const model = { get: () => (%s), on(name, f) { heard[name] = f; }, off() {}, send(m) {
  (window.sent ??= []).push(m);
  const answer = { stamp: m.stamp, trouble: window.trouble ?? "" };
  if (m.do === "keep") setTimeout(() => heard["msg:custom"](answer));
} };
board.render({ model, el: document.getElementById("here") });
</script>"""


@pytest.fixture
def shown(page):
    def show(board):
        code = script("negotiation", FOLDER).replace("export default", "const board =")
        page.set_default_timeout(10_000)
        page.set_content(PAGE % (style("negotiation", FOLDER), code, json.dumps(board, ensure_ascii=False)))
        page.wait_for_selector(".crm-deal")
        return page

    return show


def choose(page, pick):
    for issue, place in enumerate(pick):
        page.locator(".crm-deal-composer fieldset").nth(issue).locator("label").nth(place).click()


def scores(page):
    page.wait_for_timeout(60)
    return tuple(page.locator(".crm-deal-big").all_inner_texts())


def test_the_browser_agrees_with_python(shown):
    board = read("玉峰汽配续约", ("苏畅", "玉峰汽配"))
    page = shown(board)
    for pick in ([4, 0, 1, 1], [7, 3, 4, 2], [8, 2, 2, 0]):
        choose(page, pick)
        assert scores(page) == tuple(f"{p:g}" for p in points(board, pick))
        count, said = better(board, pick), page.locator(".crm-deal-better").inner_text()
        assert f"还有 {count} 套" in said if count else "在有效边界上" in said
    every = [points(board, p) for p in product(*(range(len(i["options"])) for i in board["issues"]))]
    edge = {p for p in every if not any(a >= p[0] and b >= p[1] and (a, b) != p for a, b in every)}
    drawn = page.locator(".crm-deal-map .edge").get_attribute("points").split()
    assert {tuple(round(float(x), 1) for x in p.split(",")) for p in drawn} == {
        (round(44 + a * 3.5, 1), round(366 - b * 3.5, 1)) for a, b in edge}


def test_by_keyboard_and_on_the_map(shown):
    page = shown(read("玉峰汽配续约", ("苏畅", "玉峰汽配")))
    page.locator(".crm-deal-composer input").first.focus()
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    assert scores(page)[0] == "70"  # 7.4 → 8.2 元：30 + 40
    box = page.locator(".crm-deal-map").bounding_box()
    scale = box["width"] / 404
    page.mouse.click(box["x"] + (44 + 65 * 3.5) * scale, box["y"] + (366 - 58.75 * 3.5) * scale)
    assert scores(page) == ("65", "58.75")


def test_two_people_and_a_clerk(shown):
    page = shown(read("螃蟹季", ("苏畅", "合作社"), pair="4.3"))
    assert scores(page) == ("？", "？") and not page.locator(".crm-deal-map").is_visible()
    key = page.get_by_role("button", name="合作社：按住看密卷")
    key.hover()
    page.mouse.down()
    assert scores(page) == ("？", "66")  # 18 元 36 分，保底 300 箱 30 分；苏畅的分看不到
    page.mouse.up()
    assert scores(page) == ("？", "？")
    key.focus()
    page.keyboard.down("Space")
    assert scores(page)[1] == "66"
    page.keyboard.up("Space")
    assert scores(page)[1] == "？"
    for pick, words in (([4, 1, 0, 1], "最怕哪一天？"), ([0, 0, 2, 3], ""), ([2, 0, 0, 1], "")):
        choose(page, pick)
        page.locator(".crm-deal-said").fill(words)
        page.locator(".crm-deal-bid").click()
    assert "“最怕哪一天？”" in page.locator(".crm-deal-ledger").inner_text()
    page.get_by_role("button", name="接受苏畅的这一套").click()
    assert scores(page) == ("70", "58") and page.locator(".crm-deal-map").is_visible()
    kept = [m for m in page.evaluate("window.sent") if m["do"] == "keep"][-1]["note"]["games"]
    assert [o["side"] for o in kept[0]["offers"]] == [0, 1, 0] and kept[0]["end"] == "deal"
    page.evaluate("window.trouble = '磁盘满了'")
    page.get_by_role("button", name="再谈一局").click()
    page.get_by_text("磁盘满了").wait_for()
    assert scores(page) == ("？", "？") and len(page.evaluate("window.sent.at(-1).note.games")) == 2


def test_covered_until_the_own_game_is_played(shown):
    board = read("玉峰汽配续约", ("苏畅", "玉峰汽配"))
    offer = {"side": 0, "pick": [4, 3, 4, 1], "said": ""}
    board |= {"mode": "game", "veil": True, "end": "deal", "offers": [offer], "wants": [72],
              "notices": ["还没谈完。"]}
    page = shown(board)
    assert not page.locator(".crm-deal-main").is_visible()
    page.get_by_role("button", name="先看范例").click()
    assert scores(page) == ("62", "58")
