"""问卷用词检查：毛病一个个认出来；好题一声不响；什么怪东西都不出错；只是建议，不动分数。"""

from pathlib import Path

import pytest

from autograder import units
from crmlib import tasks
from crmlib.tasks import session
from crmlib.tasks.lint import lint_question, lint_questionnaire

FIVE = ["很满意", "满意", "一般", "不满意", "很不满意"]
GOOD = [
    ("您对我们的运费满意吗？", FIVE),
    ("您的快件送到时，包装完好吗？", "完好；有破损；记不清"),
    ("过去 3 个月，您寄了几次快递？", "没有寄过；1–3 次；4–9 次；10 次及以上"),
    ("最近一次寄件，快递员几天送到？", "1 天；2 天；3 天；4 天及以上"),
    ("您最常用的是哪家快递公司？", "顺丰；中通；圆通；其他"),
    ("价格和时效，您觉得哪个更重要？", "价格；时效"),
    ("请分别给价格和服务打分（1–5 分，5 分最好）。", None),
    ("收到的货和订单一致吗？", "一致；不一致"),
    ("您多久和客服联系一次？", "每周；每月；没有联系过"),
    ("您和家人每月网购多少次？", "0 次；1–5 次；6 次及以上"),
    ("您的年龄是？", "不满 18 岁；18–25 岁；26–35 岁；36 岁及以上"),
    ("您公司每月发货多少票？", "不满 50 票；50–199 票；200–499 票；500 票以上"),
    ("货物一般多重？", "不超过 5 公斤；超过 5 公斤不到 20 公斤；20 公斤以上"),
    ("您从什么渠道知道我们的？", "朋友介绍；网上搜索；门店；其他"),
    ("您没有续约，主要原因是什么？", "价格；时效；破损；其他（请写）"),
    ("您是否遇到过快件丢失？", "是；否"),
    ("您的快件有没有损坏过？", "有；没有"),
    ("离您最近的网点，走路要几分钟？", "不超过 5 分钟；6–15 分钟；16 分钟以上"),
    ("您愿不愿意把我们推荐给朋友？", "很愿意；愿意；一般；不愿意；很不愿意"),
    ("您会向同行推荐我们吗？（0–10 分）", "0、1、2、3、4、5、6、7、8、9、10"),
    ("您不再寄件的主要原因是什么？", "价格高；时效慢；服务差；其他"),
    ("您是否同意：客服能及时解决我的问题。", "完全同意；同意；不确定；不同意；完全不同意"),
    ("您同意“送货上门比放快递柜方便”吗？", "非常同意；同意；一般；不同意；非常不同意"),
    ("您用过保价服务吗？", "用过；没有用过"),
    ("您对理赔的速度满意吗？", [*FIVE, "没有用过"]),
    ("您知道我们的净推荐值（愿意推荐的人比例减不愿推荐的）吗？", "知道；不知道"),
    ("您用手机 APP 下单吗？", "用；不用"),
    ("您的月收入在哪个范围？（可不填）", "不满 3000 元；3000–4999 元；5000–7999 元；8000 元以上"),
    ("您的手机号多久换一次？", None),
    ("取件时，要您出示身份证了吗？", "要了；没要；记不清"),
    ("您的性别？", "男；女；不便透露"),
    ("以下四种包装，您最喜欢哪一种？", "纸箱；布袋；木箱；塑料盒"),
    ("您选择我们的原因有哪些？（多选）", "价格低；速度快；服务好；网点多；其他"),
    ("请给这次配送打分，1 到 5 分，5 分最好。", None),
    ("这次配送您打几分？（1=很差，5=很好）", "1、2、3、4、5"),
    ("如果不满意，您会不会投诉？", "会；不会；说不清"),
    ("您对不同季节的运费了解吗？", "了解；不了解"),
    ("一件冷链包裹，您愿意付多少运费？", "不满 10 元；10–19 元；20–29 元；30 元以上"),
    ("您的生意一年做几个月？", "1–3 个月；4–6 个月；7–9 个月；10 个月以上"),
    ("您的订单中，准时送到的占几成？", "不满 50%；50%–79%；80%–94%；95%–100%"),
    ("您还有什么投诉和建议？", None),
    ("您去过附近的网吧吗？", "去过；没去过"),
    ("快递员送货前，给您打电话了吗？为什么？", None),
    ("上个月您经常用哪个时间段收货？", "上午；下午；晚上"),
    ("您公司的年营业额是？", "不满 100 万元；100–499 万元；500–999 万元；1000 万元以上"),
]
BAD = [
    ("一题两问", "您对我们的价格和服务满意吗？", FIVE),
    ("一题两问", "快递员的态度以及速度怎么样？", None),
    ("一题两问", "我们的快递又快又便宜吗？", None),
    ("一题两问", "您对仓库与车队满意吗？", FIVE),
    ("一题两问", "客服热情、专业吗？", None),
    ("一题两问", "您是否愿意继续使用并推荐给朋友？", "是；否"),
    ("一题两问", "您用过我们的小程序吗？您满意吗？", None),
    ("诱导", "难道您不认为准时最重要？", None),
    ("诱导", "您不觉得我们的运费很低吗？", None),
    ("诱导", "大家都认为送货上门好，您呢？", None),
    ("诱导", "众所周知，冷链更安全，您会选冷链吗？", None),
    ("诱导", "您对我们的服务很满意吧？", None),
    ("诱导", "作为行业领先的公司，我们的时效如何？", None),
    ("带感情", "您对我们贴心的送货上门怎么看？", None),
    ("带感情", "您遇到过黑心的快递公司吗？", "遇到过；没有"),
    ("带感情", "您能忍受野蛮装卸吗？", None),
    ("双重否定", "您不赞成快递员不打电话就放快递柜吗？", None),
    ("双重否定", "您不反对取消夜间配送吗？", None),
    ("双重否定", "您是不是从未觉得不应该不给差评？", None),
    ("术语或缩写", "您对我们的 SLA 满意吗？", FIVE),
    ("术语或缩写", "您觉得履约率高吗？", None),
    ("术语或缩写", "您了解 B2B 业务吗？", None),
    ("时间含糊", "您最近寄过快递吗？", "寄过；没寄过"),
    ("时间含糊", "您经常寄快递吗？", "是；否"),
    ("时间含糊", "您寄生鲜吗？", "经常；有时；偶尔；从不"),
    ("绝对词", "我们总是准时送到吗？", None),
    ("绝对词", "您的所有包裹都完好吗？", None),
    ("绝对词", "您每次都选我们吗？", None),
    ("问隐私", "请填写您的身份证号。", None),
    ("问隐私", "您的家庭住址是？", None),
    ("问隐私", "您每月收入是多少元？", None),
    ("问隐私", "请留下您的手机号：", None),
    ("缺少选项", "您从什么渠道知道我们的？", "朋友；网络；门店"),
    ("缺少选项", "您用哪家快递公司？", "顺丰；中通；圆通"),
    ("缺少选项", "您对理赔的速度满意吗？", FIVE),
    ("缺少选项", "以下哪些快递公司您用过？", "顺丰；中通；圆通"),
    ("量表不平衡", "您对时效满意吗？", "非常满意；很满意；满意；基本满意；不满意"),
    ("量表不平衡", "我们的包装怎么样？", ["非常好", "很好", "好", "一般"]),
    ("区间重叠", "过去 1 个月，您寄了几次？", "没有；1–3 次；3–5 次；5 次以上"),
    ("区间重叠", "您的年龄？", "20 岁以下；20–30 岁；31 岁以上"),
    ("区间重叠", "货物多重？", "A. 1-5公斤 B. 5-10公斤 C. 超过10公斤"),
    ("区间重叠", "每月寄多少件？", "三件以内，三至五件，六件以上"),
    ("区间有空缺", "过去 1 个月，您寄了几次？", "没有；1–3 次；5–8 次；9 次以上"),
    ("区间有空缺", "您的年龄？", "不满 18 岁；18–25 岁；26–35 岁"),
    ("区间有空缺", "货物多重？", "1–5 公斤；6–10 公斤；超过 10 公斤"),
    ("区间有空缺", "您公司每月运费多少？", "5000–9999 元；1–3 万元；超过 3 万元"),
    ("没有量程", "请给我们的服务打分。", None),
    ("没有量程", "您给这次配送打几分？", "1；2；3；4；5"),
]


@pytest.mark.parametrize(("text", "options"), GOOD, ids=[text for text, _ in GOOD])
def test_a_good_question_draws_no_advice(text, options):
    assert lint_question(text, options) == []


@pytest.mark.parametrize(("name", "text", "options"), BAD, ids=[f"{name} {text}" for name, text, _ in BAD])
def test_a_bad_question_is_named(name, text, options):
    assert name in [a.name for a in lint_question(text, options)]


def test_ways_to_write_options_and_numbers():
    wanted = ["区间重叠"]
    for options in ("１～３次\n３～５次\n超过５次", "A. 1-3次 B. 3-5次 C. 超过5次", "1至3次、3至5次、超过5次",
                    "①1—3次；②3—5次；③超过5次", {"a": "1–3次", "b": "3–5次", "c": "超过5次"},
                    ("1–3次", "3–5次", "超过 5 次")):
        assert [a.name for a in lint_question("过去 1 个月，您寄了几次？", options)] == wanted, options


def test_questionnaire_tells_the_place_and_the_repeats():
    found = lint_questionnaire([("您对运费满意吗？", FIVE), ("难道不贵吗？", None),
                                ("您对运费满意吗?", FIVE)])
    assert [(place, a.name) for place, a in found] == [(1, "诱导"), (2, "重复提问")]


HOSTILE = [None, 3, True, 2.5, float("nan"), b"x", [], {}, [None], "", " \n", "？" * 10**6, "不" * 10**6,
           "又快" * 10**6, "1-" * 10**6, "对和" * 10**6, "<script>alert(1)</script>", "\ud800", "ﷺ" * 10**5,
           "((((", "9" * 10**6]


@pytest.mark.parametrize("odd", HOSTILE, ids=[str(i) for i in range(len(HOSTILE))])
def test_anything_may_come_in(odd):
    for text, options in ((odd, None), (odd, odd), ("您寄了几次？", odd), ("您寄了几次？", [odd] * 3)):
        assert isinstance(lint_question(text, options), list)
        lint_questionnaire([(text, options)] * 3)


# ---- 在填表题里 ----

MANUAL = (Path(__file__).parents[1] / "docs" / "authoring.md").read_text("utf-8")
FORM = next(units.yaml.load(block.split("```")[0], units._Loader)[0]
            for block in MANUAL.split("```yaml\n") if "lint: question" in block.split("```")[0])
ANSWER = {"r1": {"ask": "您对价格和服务满意吗？", "pick": "满意；不满意"},
          "r2": {"ask": "您 <b>经常</b> 寄快递吗？"}, "r3": {"pick": "只有选项"}}


def feedback(task, answer):
    return session.feedback(task, answer, tasks.score_task(task, answer), 1)


def test_advice_is_shown_and_never_scored():
    said = feedback(FORM, {"r1": ANSWER["r1"], "r2": ANSWER["r2"]})
    assert (said["state"], said["points"]) == ("right", 1)
    assert [line.split("</")[0] for line in said["advice"]] == [
        "第 1 行：<strong>一题两问", "第 2 行：<strong>时间含糊"]
    assert feedback(FORM, FORM["key"])["advice"] == []
    assert "**一题两问**" in session.advice(FORM, ANSWER)[0]  # 没答完，也有建议


def test_html_in_a_question_stays_text():
    said = feedback(FORM, {"r1": {"ask": "您对<img src=x>价格和<b>服务满意吗？"}})
    assert said["advice"] and not any("<img" in line or "<b>" in line for line in said["advice"])


@pytest.mark.parametrize("answer", [None, 3, [], {"r1": 3}, {"r1": {"ask": 7}}, {"r1": {"ask": ["x"]}},
                                    {"x": {}}, {"r1": {"ask": "您对价格和服务满意吗？" * 10**5}}])
def test_an_unreadable_answer_draws_no_error(answer):
    assert isinstance(session.advice(FORM, answer), list)
    assert isinstance(feedback(FORM, answer)["advice"], list)


def test_a_long_list_is_cut_and_other_kinds_have_none():
    many = {f"r{n}": {"ask": f"难道您最近总是对第 {n} 个 SLA 满意？"} for n in range(1, 7)}
    assert len(lines := session.advice(FORM, many)) == 11 and "还有" in lines[-1]
    other = {"id": "1.1-1", "kind": "choose", "options": {"a": "甲"}, "key": ["a"]}
    assert session.advice(other, ["a"]) == []


def test_faults_of_the_author():
    def with_column(**more):
        return tasks.faults({**FORM, "columns": [{**FORM["columns"][0], **more}, FORM["columns"][1]]})

    assert tasks.faults(FORM) == []
    assert with_column(options_column="nope") == ["列“ask”的 options_column“nope”不存在"]
    number = [FORM["columns"][0], {**FORM["columns"][1], "type": "number"}]
    assert any("text 或 long" in f for f in tasks.faults({**FORM, "columns": number}))
