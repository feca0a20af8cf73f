"""流失规则板和打电话名单板在真实的浏览器里：算得和 Python 一样；键盘能用；能还原。"""

import pytest
from conftest import show_board, slide

from crmlib.boards import call_list, churn_rule

pytestmark = pytest.mark.browser


def cells(page):
    told = {name: int(page.locator(f"[data-cell={name}] b").inner_text().replace(",", ""))
            for name in ("caught", "wrong", "missed", "right")}
    money = page.locator(".crm-rule-money").inner_text()
    return told | {"money": int(money.removesuffix(" 元").replace(",", "").replace("−", "-"))}


def rounded(told):
    return {**told, "money": round(told["money"])}


def test_a_rule_of_lamps(page):
    board = churn_rule.read("customers")
    show_board(page, "churn_rule", board, ".crm-task")
    start = {sign["id"]: sign["start"] for sign in board["signs"]}
    assert cells(page) == rounded(churn_rule.judge(board, start, least=2))
    slide(page, "准时率", 80)
    assert cells(page) == rounded(churn_rule.judge(board, start | {"准时率": 80}, least=2))
    page.get_by_label("用“合作年数”这盏灯").uncheck()
    slide(page, "亮几盏就报警", 1)
    fewer = {name: at for name, at in (start | {"准时率": 80}).items() if name != "合作年数"}
    assert cells(page) == rounded(churn_rule.judge(board, fewer, least=1))
    assert "抓对" in page.locator("[role=status]").inner_text()
    page.get_by_role("button", name="还原").click()
    assert cells(page) == rounded(churn_rule.judge(board, start, least=2))


def test_a_rule_of_days_by_keyboard(page):
    board = churn_rule.read("senders")
    show_board(page, "churn_rule", board, ".crm-task")
    page.get_by_label("几天没下单", exact=True).focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.crm-rule-value').textContent.includes('60')")
    assert cells(page) == rounded(churn_rule.judge(board, {"几天没下单": 60}))
    assert "净赚怎样变" in page.locator(".crm-rule-chart").get_attribute("aria-label")


def test_whom_to_call(page):
    board = call_list.read()
    show_board(page, "call_list", board, ".crm-task")
    for order, title in board["orders"].items():
        page.get_by_label(title, exact=True).check()
        rows = call_list.called(board, order, 20_000)
        total = round(sum(call_list.gain(board, row) for row in rows))
        assert page.locator(".crm-list-total").inner_text() == f"{total:,} 元"
        shown = page.locator(".crm-list-table tbody td:nth-child(2)").all_inner_texts()
        assert [text.split()[0] for text in shown] == [row["id"] for row in rows]
    page.get_by_label("按预期净值", exact=True).check()
    slide(page, "预算", 107_500)
    assert "288,805 元" in page.locator(".crm-list-total").inner_text()
    assert "第 215 家最划算" in page.locator(".crm-list-left").inner_text()
    assert "后面还有 155 家" in page.locator(".crm-list-rows").inner_text()
    page.get_by_role("button", name="翻开").click()
    gone = sum(row["id"] in board["left"] for row in call_list.called(board, "worth", 107_500))
    assert f"已经走了 40 家；这 215 家里有 {gone} 家" in page.locator(".crm-list-found").inner_text()
    page.get_by_role("button", name="还原").click()
    assert page.locator(".crm-list-found").is_hidden()
    assert page.get_by_label("按流失概率", exact=True).is_checked()
