"""投影和手机投票，在真实的浏览器里：投影窗口、老师窗口、三台手机大小的窗口。"""

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fixtures import inclass
from fixtures.inclass import Running

pytest.importorskip("segno", reason="教师机才装")
pytestmark = pytest.mark.browser
SHOTS = Path(__file__).resolve().parents[2] / "test-output" / "screenshots"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return inclass.make(tmp_path_factory.mktemp("inclass"))


@pytest.fixture
def new_window(browser):
    """new_window(width, height): a browser of its own, as on another device; errors fail the test."""
    contexts, heard = [], []

    def watch(page):
        page.on("console", lambda m: heard.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda fault: heard.append(str(fault)))

    def window(width=1366, height=768):
        context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN",
                                      has_touch=width < 500, is_mobile=width < 500)
        context.set_default_timeout(20_000)
        context.on("page", watch)
        contexts.append(context)
        return context.new_page()

    yield window
    for context in contexts:
        context.close()
    # 测试自己弄断的网、故意输错的房间号，不算
    heard = [h for h in heard if not re.search(r"WebSocket|ERR_CONNECTION|ERR_INTERNET|status of 403", h)]
    assert not heard, "浏览器控制台的错误：\n" + "\n".join(heard)


def at(page, number):
    page.wait_for_selector(f"html[data-step='{number}']")


def test_presenting_step_by_step(root, new_window, shot):
    show = Running(root, "present", "9.1", "--port", "0")
    try:
        page = new_window()
        page.goto(show.doors["screen"])
        page.get_by_role("heading", name="投给谁？").wait_for()
        assert "key=" not in page.url
        coach = new_window()
        coach.goto(show.doors["teacher"])
        coach.get_by_text("第 1 步，一共 6 步").wait_for()

        page.keyboard.press("PageDown")  # 翻页笔
        at(page, 2)
        page.get_by_text("修分拨中心").click()
        page.get_by_text("已记下").wait_for()
        shot(page, "present-task")
        coach.get_by_text("下一步：第一个数").wait_for()
        assert coach.locator("tr[data-now]").inner_text().split()[1] == "先猜一个"  # 演示脚本里的这一行亮着
        saved = json.loads((root / "inclass/present/9.1/answers.json").read_text("utf-8"))
        assert saved["answers"]["9.1-0"]["answer"] == ["a"]
        assert not (root / "notebooks/9/answers.json").exists()

        page.locator(".crm-option input").first.press("PageDown")  # 焦点在题里，翻页笔也管用
        at(page, 3)
        page.get_by_text("毛利 5760.0").wait_for()
        page.keyboard.press("ArrowRight")
        page.get_by_text("<b>两年</b> 2").wait_for()
        assert page.get_by_text("毛利 5760.0").is_visible()  # 紧挨着的前一格还在
        page.keyboard.press("Space")
        page.get_by_text("猜的是 ['a']").wait_for()  # 显示答案的格子，翻到时重新运行
        coach.get_by_role("button", name="下一步 ▶").click()
        at(page, 6)
        page.get_by_text("没有运行成").wait_for()
        assert "Error" not in page.locator("body").inner_text()
        coach.get_by_text("ZeroDivisionError").wait_for()
        assert not page.locator(".stage pre").count()

        page.keyboard.press("b")
        page.locator(".black").wait_for()
        coach.get_by_role("button", name="恢复画面").wait_for()
        page.keyboard.press("PageDown")  # 黑着的时候，按什么都先亮
        page.locator(".black").wait_for(state="hidden")
        at(page, 6)
        page.keyboard.press("Home")
        at(page, 1)
        page.reload()
        at(page, 1)
        page.keyboard.press("ArrowRight")
        page.locator(".crm-option:has(:checked)").get_by_text("修分拨中心").wait_for()  # 刷新了，选过的还在
        coach.on("dialog", lambda d: d.accept())
        coach.get_by_role("button", name="重新运行这一课").click()
        page.get_by_text("正在重新运行").wait_for()
        page.locator(".notice").wait_for(state="hidden")
        page.locator(".crm-option:has(:checked)").get_by_text("修分拨中心").wait_for()
        page.get_by_text("降价").click()
        page.get_by_text("已记下").wait_for()
        page.get_by_role("button", name="深浅").click()
        coach.screenshot(path=shot_path("present-teacher"), full_page=True)
        page.screenshot(path=shot_path("present-dark-1366x768"))
    finally:
        show.stop()
    assert not show.complaints()


def shot_path(name):
    SHOTS.mkdir(parents=True, exist_ok=True)
    return SHOTS / f"{name}.png"


def test_a_survey_with_three_phones(root, new_window, shot):
    room = Running(root, "live", "9.1", "--port", "0", "--new")
    try:
        teacher = new_window()
        teacher.on("dialog", lambda d: d.accept())
        teacher.goto(room.doors["teacher"])
        teacher.get_by_text("等学生加入").wait_for()
        with teacher.context.expect_page() as opened:
            teacher.get_by_role("button", name="打开投影").click()
        screen = opened.value
        screen.locator(".lobby svg").wait_for()
        phones = []
        for number in range(3):
            phone = new_window(390, 844)
            phone.on("dialog", lambda d: d.accept())
            if not number:
                phone.goto(room.base)
                phone.get_by_label("房间号").last.fill("1234 5678")
                phone.get_by_role("button", name="同意，加入").click()
                phone.get_by_text("房间号不对").wait_for()
            phone.goto(f"{room.base}/?c={room.code}")  # 扫码
            if not number:
                phone.get_by_text("存什么，存在哪里，怎么删").click()
                phone.screenshot(path=shot_path("live-phone-join"))
            phone.get_by_role("button", name="同意，加入").click()
            phone.get_by_text("等老师开始").wait_for()
            assert room.code not in phone.url
            phones.append(phone)
        screen.get_by_text("3 人加入，3 台手机连着").wait_for()
        shot(screen, "live-lobby")
        assert "key" not in screen.url and room.doors["teacher"].partition("=")[2] not in screen.content()

        # 选一个：改一次，还是一份
        teacher.get_by_role("button", name="开始第 1 题").click()
        for number, phone in enumerate(phones):
            phone.get_by_text("降价").click()
            phone.get_by_role("button", name="提交").click()
            phone.get_by_text("收到了").wait_for()
            if number:
                phone.get_by_text("修分拨中心").click()
                phone.get_by_role("button", name="改了，再交一次").click()
                phone.get_by_text("收到了").wait_for()
        phones[0].screenshot(path=shot_path("live-phone-choose"))
        screen.locator(".barrow", has_text="修分拨中心").get_by_text("67%").wait_for()
        shot(screen, "live-bars")

        # 四象限：卡片到了多数人放的格子里；先不看结果，再看答案
        screen.keyboard.press("h")
        screen.get_by_text("先各想各的").wait_for()
        teacher.locator(".stepslist").get_by_text("四格").click()
        for number, phone in enumerate(phones):
            for place in ("优势", "劣势", "威胁" if number else "优势"):
                phone.locator(".crm-tray .crm-card").first.click()
                phone.locator(".crm-moves").get_by_role("button", name=place).click()
            if not number:
                phone.screenshot(path=shot_path("live-phone-classify"))
            phone.get_by_role("button", name="提交").click()
            phone.get_by_text("收到了").wait_for()
        assert screen.get_by_text("先各想各的").is_visible() and not screen.locator(".chip").count()
        screen.keyboard.press("a")
        threat = screen.locator(".bin", has_text="威胁").locator(".chip", has_text="油价上涨")
        threat.get_by_text("67%").wait_for()
        assert threat.get_attribute("data-right") == "true" and screen.get_by_text("全对 67%").is_visible()
        shot(screen, "live-quadrant")
        assert phones[0].get_by_text("停止作答了。你的答案收到了").is_visible()
        assert phones[0].locator(".work").evaluate("node => node.inert")
        screen.keyboard.press("h")

        # 写一句：尖括号只是文字；收起一条；断网时先留着，通了自己再交
        teacher.locator(".stepslist").get_by_text("一句话").click()
        phones[2].locator("textarea").wait_for()
        phones[2].context.set_offline(True)
        said = ["<img src=x onerror=alert(1)>准时送货", "难听的话", "准时送货最要紧"]
        for phone, text in zip(phones, said, strict=True):
            phone.locator("textarea").fill(text)
            phone.get_by_role("button", name="提交").click()
        phones[0].get_by_text("收到了").wait_for()
        phones[2].get_by_text("没有送到老师的电脑").wait_for()
        phones[2].context.set_offline(False)
        phones[2].get_by_text("收到了").wait_for()
        teacher.locator("blockquote", has_text="难听的话").get_by_role("button", name="收起来").click()
        screen.locator(".words").get_by_text("送货").wait_for()
        screen.get_by_text("难听的话").wait_for(state="detached")
        assert screen.get_by_text("<img src=x").is_visible() and not screen.locator("blockquote img").count()
        phones[0].get_by_text("我的代号和数据").click()
        phones[0].get_by_label("代号").fill("小周")
        phones[0].get_by_role("button", name="改代号").click()
        phones[0].get_by_text("记下了").wait_for()
        assert not screen.get_by_text("小周").count()  # 老师不点，投影上没有代号
        teacher.get_by_role("button", name="显示代号").click()
        screen.get_by_text("小周").wait_for()
        shot(screen, "live-words")
        teacher.get_by_role("button", name="隐藏代号").click()
        screen.get_by_text("小周").wait_for(state="detached")

        # 问卷：晚来的也能答；重新打开的手机认得自己
        teacher.locator(".stepslist").get_by_text("客户问卷").click()
        late = new_window(390, 844)
        late.goto(f"{room.base}/?c={room.code}")
        late.get_by_role("button", name="同意，加入").click()
        for number, phone in enumerate([*phones, late]):
            phone.locator("fieldset").first.wait_for()
            for place in range(4):
                phone.locator("fieldset").nth(place).locator("label").nth((number * (place + 1)) % 5).click()
            phone.get_by_label("仓储").check()
            if not number:
                phone.screenshot(path=shot_path("live-phone-survey"), full_page=True)
            phone.get_by_role("button", name="提交").click()
            phone.get_by_text("收到了").wait_for()
        late.reload()
        late.get_by_text("收到了").wait_for()
        assert late.locator("fieldset").nth(1).locator("label").nth(1).locator("input").is_checked()
        screen.locator(".dot").nth(2).wait_for()
        shot(screen, "live-survey")
        teacher.screenshot(path=shot_path("live-teacher"), full_page=True)

        # 删：手机自己删；老师全删
        phones[1].get_by_text("我的代号和数据").click()
        phones[1].get_by_role("button", name="删除我的全部答案").click()
        phones[1].get_by_text("都删了").wait_for()
        screen.locator(".answered", has_text="3").wait_for()
        teacher.get_by_role("button", name="结束，并删除全部数据").click()
        phones[0].get_by_text("全部答案都删了").wait_for()
        assert "都删了" in room.process.communicate(timeout=20)[0]
        assert not list((root / "inclass" / "live").iterdir())
    finally:
        room.stop()
    assert not room.complaints()


def test_phones_come_back_by_themselves_after_a_crash(root, new_window):
    room = Running(root, "live", "9.1", "--port", "0", "--new", "--task", "9.1-3", "--task", "9.1-4")
    again = None
    try:
        teacher, phone = new_window(), new_window(390, 844)
        teacher.goto(room.doors["teacher"])
        phone.goto(f"{room.base}/?c={room.code}")
        phone.get_by_role("button", name="同意，加入").click()
        phone.get_by_text("等老师开始").wait_for()
        teacher.get_by_role("button", name="开始第 1 题").click()
        phone.locator(".crm-arrows button").nth(1).wait_for()
        room.kill()
        phone.get_by_text("正在重新连接").wait_for()
        phone.locator(".crm-arrows button").nth(1).click()
        phone.get_by_role("button", name="提交").click()
        phone.get_by_text("没有送到老师的电脑").wait_for()
        again = Running(root, "live", "9.1", "--task", "9.1-3", "--task", "9.1-4")
        phone.get_by_text("收到了").wait_for()
        teacher.get_by_text("1 人答了").wait_for()  # 老师的窗口自己接上了
        teacher.get_by_role("button", name="下一题").click()
        phone.get_by_label("一年少收").fill("3.84万元")
        phone.get_by_role("button", name="提交").click()
        phone.get_by_text("收到了").wait_for()
        teacher.get_by_role("button", name="看答案").click()
        teacher.get_by_text("答对 1 人").wait_for()
    finally:
        room.kill()
        if again:
            again.stop()
    assert "Traceback" not in room.complaints()
