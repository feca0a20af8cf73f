"""客户分类板在真实的浏览器里：算得和 Python 一样；鼠标、键盘都能切。"""

import pytest
from conftest import show_board

from crmlib.boards import customers
from crmlib.paths import notebooks

pytestmark = pytest.mark.browser
CUTS = {"按角色": "1.1-5", "按时间": "1.1-8", "按身份": "1.1-10", "按付钱多少": "1.1-11"}


@pytest.fixture
def board(tmp_path, monkeypatch):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "1.1.json").write_bytes((notebooks() / "1" / "tasks" / "1.1.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    return customers.read(CUTS, {"s": "几天到"})


@pytest.fixture
def shown(page, board):
    page.emulate_media(reduced_motion="reduce")
    return show_board(page, "customers", board, ".crm-groups .crm-person")


def table(page, inner=False):
    rows = page.locator(".crm-sums tbody tr" + ("[data-inner]" if inner else ":not([data-inner])"))
    return [r.split("\t")[:4] for r in rows.all_inner_texts()]


def expected(board, *cut):
    rows = customers.rows(board, *cut)
    return [[r["path"][-1], str(len(r["cards"])), f"{r['money'] / 10000:.1f} 万元", f"{r['share']:.1%}"]
            for r in rows]


def test_every_cut_is_the_same_as_in_python(shown, board):
    assert shown.locator(".crm-person").count() == 24
    for place in range(4):
        shown.locator(".crm-cut").nth(place).click()
        assert [[c.strip() for c in row] for row in table(shown)] == expected(board, place)
    shown.get_by_label("里面再切一刀").first.select_option("0")
    assert [[c.strip() for c in row] for row in table(shown, inner=True)] == [
        row for row in expected(board, 3, 0)]
    assert "大客户 5 张，235.0 万元" in shown.locator(".crm-customers [aria-live=polite]").inner_text()


def test_by_keyboard_and_a_card_tells_who_it_is(shown):
    shown.locator(".crm-cut").first.focus()
    shown.keyboard.press("ArrowRight")
    assert shown.locator(".crm-cut[aria-checked=true]").inner_text().endswith("按时间")
    shown.keyboard.press("4")
    assert shown.locator(".crm-cut[aria-checked=true]").inner_text().endswith("按付钱多少")
    card = shown.locator("[data-card=k21]")
    card.focus()
    shown.keyboard.press("Enter")
    assert "310,000 元" in shown.locator(".crm-about").inner_text()
    shown.keyboard.press("1")  # 换了刀，卡还选着，焦点还在卡上
    assert card.get_attribute("aria-pressed") == "true"
    assert shown.evaluate("document.activeElement.dataset.card") == "k21"
