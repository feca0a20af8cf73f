"""样本板、问卷面板在真实的浏览器里：和 Python 算得一样；教案里印的数，点出来就是；键盘能用。"""

import pytest
from conftest import show_board

from crmlib.boards import questionnaire, sample
from crmlib.paths import notebooks
from crmlib.tasks.lint import lint_question

pytestmark = pytest.mark.browser


def figures(page):
    return page.locator(".crm-figure-number").all_inner_texts()


def test_more_answers_steady_but_do_not_straighten(page):
    board = sample.read()
    show_board(page, "sample", board)
    for n in board["sizes"]:
        page.get_by_role("button", name=f"{n} 份", exact=True).click()
        margin, _, centre = figures(page)
        assert margin == f"±{100 * sample.margin(board['share'], n, board['z']):.1f}"
        assert centre == "48%"
    low, high = (int(x.strip("%")) for x in figures(page)[1].split("—"))
    assert 43 <= low < 48 < high <= 53
    page.get_by_role("button", name="照去年 11 月").click()
    assert figures(page)[2] == f"{sample.answered(.48, *board['reply']):.0%}" == "66%"
    assert "高 18 个百分点。多发救不了" in page.locator(".crm-news").inner_text()
    low = int(figures(page)[1].split("%")[0])
    assert low > 53
    page.get_by_role("button", name="还原").click()
    slider = page.locator(".crm-slider").first
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_function("document.querySelector('.crm-slide output').textContent !== '20 份'")
    assert "都围着真数转" in page.locator(".crm-news").inner_text()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unit")
    (folder / "tasks").mkdir()
    (folder / "tasks" / "2.3.json").write_bytes((notebooks() / "2" / "tasks" / "2.3.json").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return questionnaire.read("2.3-6")


def question(ask, *options):
    advice = [{"name": a.name, "message": a.message} for a in lint_question(ask, list(options))]
    return {"ask": ask, "options": list(options), "advice": advice}


def test_a_bad_question_bends_the_answers(page, written):
    show_board(page, "questionnaire", written)
    page.get_by_role("button", name="发给 100 家").click()
    news = page.locator(".crm-news")
    assert "点开 66 家，答完 50 家，其中 2 家一路选第一项" in news.inner_text()  # 教案演示第 2 步
    assert "没有哪一题明显歪掉" in news.inner_text()
    scale = written["questions"][3]["options"]
    bad = {**written, "questions": [*written["questions"][:3], question("你也觉得全程看得见很好吧？", *scale),
                                    *written["questions"][4:]]}
    page.evaluate("b => model.change(b)", bad)  # 学生改了题：面板自己变，还是那 100 家
    assert "第 4 题最歪：“很需要”比心里想的多了 10 家" in news.inner_text()
    assert page.locator(".crm-phone-advice").inner_text().startswith("诱导")
    alone = {**written, "questions": [bad["questions"][3]]}
    page.evaluate("b => model.change(b)", alone)  # 教案演示第 3 步：只写这一题
    assert "答完 65 家" in news.inner_text() and "“很需要”比心里想的多了 21 家" in news.inner_text()


def test_hostile_questions_and_the_phone(page, written):
    nasty = {**written, "questions": [question("<img src=x onerror=alert(1)>" * 9, "<b>是</b>", "否" * 90),
                                      question("请写下你的身份证号"), question("满意吗")]}
    show_board(page, "questionnaire", nasty)
    radio = page.locator("input[type=radio]").first
    radio.focus()
    radio.press("Space")
    page.evaluate("b => model.change(b)", nasty)
    assert page.locator("input[type=radio]").first.is_checked()  # 重画以后，点过的还在
    page.get_by_role("button", name="发给 100 家").click()
    assert page.locator(".crm-result").count() == 3 and page.locator(".crm-board img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate("b => model.change(b)", {**written, "questions": []})
    page.wait_for_function("window.sent?.some(m => m.do === 'look')")
