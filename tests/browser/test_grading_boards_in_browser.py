"""分级板、两两比板在真实的浏览器里：和 Python 算得一样；教案里印的数，点出来就是；键盘能用。"""

import pytest
from conftest import show_board

from crmlib.boards import pairwise, pareto
from crmlib.paths import notebooks

pytestmark = pytest.mark.browser


def test_two_cuts(page):
    board = pareto.read()
    show_board(page, "pareto", board)
    counts, news = page.locator(".crm-counts"), page.locator(".crm-news")
    assert [t.split()[1] for t in counts.inner_text().split("\n") if t] == ["424", "355", "382"]
    slider = page.locator(".crm-slider").first
    slider.focus()
    slider.press("ArrowLeft")
    page.wait_for_function("document.querySelector('.crm-news').textContent.startsWith('A 级 409 家')")
    page.get_by_role("button", name="还原").click()
    page.get_by_role("button", name="按贡献").click()
    assert [t.split()[1] for t in counts.inner_text().split("\n") if t] == ["323", "297", "395", "146"]
    assert "C0813 在亏钱" in news.inner_text()
    grip = page.locator(".crm-cut-grip").first
    box = grip.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + 5, box["y"] + 120, steps=4)
    page.mouse.up()
    cut = float(page.locator(".crm-slide output").first.inner_text().strip("%")) / 100
    assert .3 < cut < .7
    found = pareto.grades(board, "贡献", (cut, .95))
    shown = [chip.inner_text().split()[:2] for chip in page.locator(".crm-chip").all()]
    assert {i: g for g, i in shown} == {i: found[i] for i in board["watch"]}
    assert news.inner_text().startswith(f"A 级 {list(found.values()).count('A')} 家")


def test_circles_and_ratio(page, tmp_path, monkeypatch):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "6.1.json").write_bytes((notebooks() / "6" / "tasks" / "6.1.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    board = pairwise.read("6.1-8")
    show_board(page, "pairwise", board)
    news = page.locator(".crm-news")

    def agrees(changed):
        found = pairwise.judged(changed)
        table = found.scores if changed["mode"] == "win" else found.weights
        shown = [float(t) for t in page.locator(".crm-weight").all_inner_texts()]
        assert shown == pytest.approx(table["权重"].tolist(), abs=6e-4)
        ranks = [row.split()[1] for row in page.locator(".crm-rank").all_inner_texts()]
        assert ranks == list(pairwise.ranking(changed, table["权重"]))

    assert "没有绕圈" in news.inner_text()
    agrees(board)
    cell = page.get_by_role("button", name="贡献比付款要紧")
    cell.focus()
    cell.press("Enter")
    assert "绕成圈 2 个" in news.inner_text() and "判断一致系数 0.60" in news.inner_text()
    agrees({**board, "wins": [1, 0, *board["wins"][2:]]})
    page.get_by_role("button", name="要紧几倍").click()
    assert "CR = 0.111" in news.inner_text()
    agrees({**board, "mode": "ahp"})
    page.get_by_label("贡献的要紧程度是潜力的几倍").select_option("1/5")
    assert "CR = 0.153" in news.inner_text()
    agrees({**board, "mode": "ahp", "times": [1 / 5, *board["times"][1:]]})
