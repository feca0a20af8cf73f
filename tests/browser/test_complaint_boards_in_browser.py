"""投诉台和控制图板在真实的浏览器里：算得和 Python 一样；鼠标、键盘都能用。"""

import pytest
from conftest import show_board

from crmlib.boards import control, desk

pytestmark = pytest.mark.browser
TICKETS = ["T2547", "T2551", "T2554", "T2556", "T2558", "T2559", "T2567", "T2568"]


@pytest.fixture
def tray(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    board = desk.read(TICKETS, "2025-12-25")
    for place, ticket in enumerate(board["tickets"]):  # 像做过 5.4-6、5.4-7 的学生
        ticket.update(level=["green", "red", "yellow"][place % 3], pay=100.0)
    board["levels"] = {"red": "红", "yellow": "黄", "green": "绿"}
    show_board(page, "desk", board)
    return board


def order(page):
    return page.locator(".crm-ticket").evaluate_all("all => all.map(n => n.dataset.card)")


def same(page, board, hello):
    now = order(page)
    times = desk.plan(board, now, hello)
    said = page.locator(".crm-desk-clock").all_inner_texts()
    assert said == [f"{desk._hour(times[t][0])} 回话，{desk._hour(times[t][2])} 办完" for t in now]


def test_the_desk(page, tray):
    for how, title in desk.SORTS.items():
        page.get_by_role("button", name=title, exact=True).click()
        assert order(page) == desk.sort(tray, how)
        same(page, tray, False)
    page.get_by_role("switch", name="先都回一句话").click()
    same(page, tray, True)
    assert "8 / 8 人" in page.locator(".crm-desk-figure").first.inner_text()

    page.get_by_role("button", name="按来的先后").click()
    page.locator(".crm-ticket").first.focus()  # 键盘：挪一步，挪到第 8 张
    page.keyboard.press("Alt+ArrowDown")
    assert order(page)[:2] == ["T2551", "T2547"]
    page.keyboard.press("8")
    assert order(page)[-1] == "T2547"
    same(page, tray, True)
    last, first = page.locator(".crm-ticket").nth(6), page.locator(".crm-ticket").first
    name = last.get_attribute("data-card")
    page.set_viewport_size({"width": 1366, "height": 1000})
    start, end = last.bounding_box(), first.bounding_box()
    page.mouse.move(start["x"] + 300, start["y"] + 20)
    page.mouse.down()
    page.mouse.move(end["x"] + 300, end["y"] + 30, steps=8)
    page.mouse.move(end["x"] + 300, end["y"] + 4, steps=4)
    page.mouse.up()
    assert order(page)[0] == name

    assert "当时" not in page.locator(".crm-desk").inner_text()  # 不揭开，就看不见
    page.get_by_role("button", name="揭开").click()
    told = page.locator(".crm-ticket[data-card=T2554] .crm-then").inner_text()
    assert "赔了 65 元" in told and "100 元" in told


def test_the_control_chart(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    board = control.read()
    show_board(page, "control", board)
    for series in board["series"]:
        page.get_by_role("button", name=series["region"], exact=True).click()
        page.get_by_role("button", name=series["measure"], exact=True).click()
        for weeks in (52, 26, 13):
            page.locator(".crm-slider").evaluate(
                f"node => {{ node.value = {weeks}; node.dispatchEvent(new Event('input')); }}")
            expected = control.chart(series, weeks)
            red = page.locator(".crm-week").evaluate_all(
                "all => all.flatMap((n, i) => (n.hasAttribute('data-out') ? [i + 1] : []))")
            assert red == [w for w, signal in enumerate(expected["信号"], 1) if signal]
            said = page.locator("svg text").all_text_contents()
            for line in ("上限", "中心", "下限"):
                assert f"{line} {expected[line].iloc[-1]:.2f}" in said
    page.get_by_role("button", name="苏南", exact=True).click()
    page.get_by_role("button", name="投诉", exact=True).click()
    page.locator(".crm-week").nth(46).focus()
    assert "第 47 周：投诉 68 件，发了 227,122 件，2.99" in page.locator(".crm-control-detail").inner_text()
    page.keyboard.press("ArrowRight")
    assert "第 48 周" in page.locator(".crm-control-detail").inner_text()
    page.get_by_role("switch").click()
    assert "件多的周" in page.locator(".crm-control-news").inner_text()
    assert page.locator(".crm-week[data-out]").count() == 0
