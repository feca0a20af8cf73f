"""SWOT 权重板在真实的浏览器里：算得和 Python 一样；鼠标、键盘都能用；能还原。"""

import pytest
from conftest import show_board

from crmlib.boards.swot import read, scores, stands, turned
from crmlib.methods.environment import weight_sensitivity
from crmlib.paths import notebooks

pytestmark = pytest.mark.browser
FLIPS = {"柴油跌 20%": {"c04": "O"}, "A 厂不换物流商了": {"c03": None, "c02": None},
         "厂内物流组散了": {"c08": "W"}}


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unit")
    (folder / "tasks").mkdir()
    (folder / "tasks" / "2.2.json").write_bytes((notebooks() / "2" / "tasks" / "2.2.json").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return read("2.2-8", "2.2-9", "2.2-10", FLIPS)


@pytest.fixture
def shown(page, board):
    return show_board(page, "swot", board)


def figures(page):
    return tuple(page.locator(".crm-figure-number").all_inner_texts())


def lit(page):
    on = ".crm-strategy:is([data-state=on], [data-state=weak])"
    return page.eval_on_selector_all(on, "all => all.map(n => n.dataset.strategy)")


@pytest.mark.parametrize("titles", [[], *([title] for title in FLIPS), list(FLIPS)])
def test_the_browser_agrees_with_python(shown, board, titles):
    for title in titles:
        shown.get_by_role("switch", name=title).click()
    cards = turned(board, titles)
    assert figures(shown) == tuple(f"{score:.2f}" for score in scores(cards))
    assert lit(shown) == [s["id"] for s in board["strategies"] if stands(s, cards)]
    gone = shown.eval_on_selector_all(".crm-factor[data-state=gone]", "all => all.map(n => n.dataset.card)")
    assert sorted(gone) == sorted(name for name, card in cards.items() if card["group"] == "gone")
    for name, card in cards.items():
        if card["group"] != "gone":
            assert shown.locator(f".crm-quadrant[data-group={card['group']}] [data-card={name}]").count() == 1


def test_a_lamp_goes_out_and_comes_back(shown):
    shown.get_by_role("switch", name="柴油跌 20%").click()
    assert shown.locator("[data-strategy=WT]").get_attribute("data-state") == "fallen"
    assert "不再是威胁" in shown.locator("[data-strategy=WT]").inner_text()
    assert "WT 策略灯灭了" in shown.locator(".crm-news").inner_text()
    shown.get_by_role("button", name="还原").click()
    assert lit(shown) == ["SO", "WO", "ST", "WT"] and shown.get_by_role("button", name="还原").is_disabled()


def test_weights_by_keyboard(shown, board):
    rows = shown.locator(".crm-factor")
    rows.first.focus()
    shown.keyboard.press("ArrowDown")
    name = shown.evaluate("document.activeElement.dataset.card")
    assert rows.nth(1).get_attribute("aria-pressed") == "true"
    shown.keyboard.press("ArrowUp")
    shown.keyboard.press("ArrowDown")
    shown.locator(".crm-slider").focus()
    for _ in range(10):
        shown.keyboard.press("ArrowRight")
    mine = {card["id"]: {"weight": card["weight"], "rating": card["rating"]}
            for card in board["cards"] if card["side"] == "inside"}
    after = weight_sensitivity(mine, name, mine[name]["weight"] + 0.1)
    shown.wait_for_timeout(100)
    expected = sum(row["weight"] * row["rating"] for row in after.values())
    assert figures(shown)[0] == f"{expected:.2f}"
    for card, row in after.items():
        said = shown.locator(f".crm-factor[data-card={card}] .crm-number").inner_text()
        assert said == f"{row['weight']:.2f}"
    for _ in range(100):  # 拖到头，再拖回来：别的权重都回得来
        shown.keyboard.press("ArrowRight")
    shown.get_by_role("button", name="还原").click()
    assert figures(shown) == tuple(f"{score:.2f}" for score in scores(turned(board)))


def test_it_asks_for_the_latest_answers_when_seen(shown):
    shown.wait_for_function("window.sent?.some(m => m.do === 'look')")
