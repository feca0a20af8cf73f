"""问卷题目的用词检查：一题两问、诱导、区间重叠……只提建议，从不算分。

靠字面找毛病，所以宁可漏，不可冤枉：拿不准的一律不说。括号里的说明不算问题的一部分。
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

_LONGEST = 500  # 再长的就不是一道题了：只看开头这么多字


@dataclass(frozen=True)
class Advice:
    """One weakness of a question: its ``name`` (一题两问 …) and what to do about it."""

    name: str
    message: str


def lint_question(text, options=None) -> list[Advice]:
    """Weaknesses in the wording of one question; [] if none, or if ``text`` is no text.

    ``options``: a list of texts, or one text in which they are separated (by lines, ；, 、, ， or A. B.).

    >>> [a.name for a in lint_question("您对我们的价格和服务满意吗？")]
    ['一题两问']
    >>> [a.name for a in lint_question("您上个月寄了几件？", "1–3 件；3–5 件；6 件以上")]
    ['区间重叠']
    >>> lint_question("您对价格满意吗？", ["很满意", "满意", "一般", "不满意", "很不满意"])
    []
    """
    whole = _plain(text)
    choices = _choices(options)
    if not whole:
        return []
    bare = re.sub(r"\([^()]*\)", "", whole)  # 括号里是说明，不是问题
    found = [
        *_double(bare), *_leading(bare), *_loaded(bare), *_negated_twice(bare), *_jargon(whole),
        *_vague_time(bare, choices), *_absolute(bare), *_private(bare, choices), *_unranged(whole, choices),
    ]
    if len(choices) > 1:
        found += [*_missing_choice(bare, choices), *_unbalanced(choices), *_intervals(choices)]
    return found


def lint_questionnaire(rows) -> list[tuple[int, Advice]]:
    """Weaknesses of all questions: [(place from 0, advice)]. ``rows``: [(text, options), …].

    Besides ``lint_question`` of each row: a question that was already asked.

    >>> [(n, a.name) for n, a in lint_questionnaire([("您的年龄？", None), ("您 的年龄?", None)])]
    [(1, '重复提问')]
    """
    found, seen = [], {}
    for place, (text, options) in enumerate(rows):
        found += [(place, advice) for advice in lint_question(text, options)]
        asked = re.sub(r"[\W_]", "", _plain(text))
        if asked and asked in seen:
            again = Advice("重复提问", f"和第 {seen[asked] + 1} 题问的一样，留一道就够了。")
            found.append((place, again))
        elif asked:
            seen[asked] = place
    return found


def _plain(text) -> str:
    """Half-width, without blanks and question number; "" for what is no text."""
    if not isinstance(text, str):
        return ""
    text = unicodedata.normalize("NFKC", text[:_LONGEST])[:_LONGEST]
    text = re.sub(r"\s+", "", text)
    return re.sub(r"^(?:[Qq题第]*\d{1,3}题?[.、:)]|\(\d{1,3}\))", "", text)


def _search(pattern, text) -> str:
    found = re.search(pattern, text)
    return found.group() if found else ""


# ---- 题干 ----

_JOIN = r"(?:和|以及|及|与|跟|、|还有|并且|而且)"
_ASPECTS = (
    r"(?:价格|运费|收费|费用|服务|态度|速度|时效|质量|品质|包装|准时率?|安全性?|可靠性|专业性?|准确性?|"
    r"完整性?|"
    r"客服|理赔|网点|流程|效率|沟通|能力|配送|仓储|运输|售后|界面|功能|水平|环境|卫生|设备|信息|司机|快递员|"
    r"口味|外观|性能|种类|品种|位置|交通)"
)
_JUDGED = r"(?:满意|怎么样|怎样|如何|评价|看法|打分|评分|几分|合理|好吗|好不好|认可|不足|重要|让您|令您)"
_QUALITY = (
    r"(?:快捷?|慢|好|便宜|贵|方便|便捷|热情|专业|礼貌|耐心|准时|及时|安全|实惠|合理|干净|整洁|准确|清楚|可靠|"
    r"周到|友好|简单)"
)
# 有这些字，两样东西是拿来比的、对照的，或者分开问的
_COMPARED = (
    r"哪|更|之间|一致|相符|吻合|区别|不同|差别|关系|分别|各自|匹配|相比|比起|还是|有关|总体|整体|"
    r"全程|全过程|整个"
)
_PEOPLE = r"(?:您|你|我|他|她|家人|同事|本人|自己|朋友)$"


def _double(text):
    if len(re.findall(r"\?", text)) > 1:
        later = [p for p in text.split("?")[1:] if p and not re.match(r"(?:为什么|为何|原因|请)", p)]
        if later:
            return [_twice("两个问号，就是两道题")]
    if re.search(_COMPARED, text):
        return []
    pair = ""
    if re.search(_JUDGED, text):
        pair = _search(rf"{_ASPECTS}{_JOIN}[^,。?;]{{0,6}}?{_ASPECTS}", text)
    about = re.search(rf"对([^,。?;]{{1,24}}?){_JOIN}([^,。?;]{{1,24}}?)(?:是否|是不是|感到|有多)?"
                      r"(?:满(?:不满)?意|怎么看|的?(?:总的)?(?:评价|看法)(?:是|如何|怎))", text)
    if not pair and about and not re.search(_PEOPLE, about[1]) and not re.match(r"[您你我他她]", about[2]):
        pair = about.group()
    pair = pair or _search(rf"(?:又|既){_QUALITY}[^,。?]{{0,3}}又{_QUALITY}", text)
    pair = pair or _search(rf"{_QUALITY}(?:、|和|而且|并且|又){_QUALITY}[^,。?]{{0,4}}[吗么]", text)
    pair = pair or _search(r"(?:是否|会|愿意|愿不愿意|打算|想)[^,。?、]{1,14}(?:,?(?:并且?|而且|以及|同时))"
                           r"(?:会|愿意|向|把|将|推荐|介绍|再|继续|续|给)", text)
    return [_twice(f"“{pair}”里有两件事")] if pair else []


def _twice(why):
    return Advice("一题两问", f"{why}，答的人可能一个说好、一个说不好。拆成两道题。")


def _leading(text):
    word = _search(
        r"难道|[您你]?不(?:觉得|认为)|大家都|人人都|众所周知|(?:大?多数|很多|绝大多数)(?:人|客户|"
        r"用户)都?(?:认为|觉得|选择|说)|"
        r"专家(?:都|一致)?(?:认为|建议|指出)|[您你](?:一定|肯定|当然|也)(?:会|是|觉得|认为|同意|喜欢|"
        r"希望|赞成)|"
        r"是不是也|理所当然|毫无疑问|显然|谁都知道|有多(?:满意|喜欢|信任)|"
        r"(?:行业|业内|全国|本市)(?:领先|第一|知名)的?|荣获|(?<![网酒书茶])吧[?!。]*$", text)
    return [Advice("诱导", f"“{word}”在暗示该怎么答。删掉它，平平地问。")] if word else []


def _loaded(text):
    word = _search(
        r"优质(?!客户|件)|贴心|黑心|坑人|坑钱|无良|糟糕|垃圾(?:服务|公司|快递)|恶劣的?(?:态度|服务|行为)|"
        r"态度恶劣|"
        r"野蛮|宰客|贪婪|冷漠|敷衍|可恶|伟大|卓越|一流|超值|温馨|忽悠|血汗|可怜|无耻|愚蠢|荒唐|"
        r"令人(?:气愤|失望|讨厌|愤怒)|"
        r"奸商|霸道|不负责任|拖拖拉拉|辛勤|辛苦(?![您你了])|无私|光荣|完美|精心|可恨|讨厌的|烦人", text)
    return [Advice("带感情", f"“{word}”带着褒贬。换成不带感情的说法。")] if word else []


# 有“不、没、无、非”的字，却不是否定
_NO_NEGATION = (
    r"不同|不少|不错|不仅|不但|不断|不论|不管|不过|不久|不妨|不止|差不多|非常|无论|无锡|无人|无线|未来|"
    r"除非|非法|"
    r"没关系|无障碍|未成年|不知不觉|不锈钢"
)


def _negated_twice(text):
    # 满不满意、有没有、是不是：是问法，不是否定
    text = re.sub(r"([\u4e00-\u9fff])[不没]\1|是否|能否", "", re.sub(_NO_NEGATION, "", text))
    word = _search(
        r"不得不|不可不|无不|不(?:是|会|能|应该?|该|得|可以?|赞成|同意|认为|觉得|希望|允许|支持|愿意?)"
        r"[^,。?、;!\"“”]{0,14}?(?:不|没有?|未|禁止|取消|拒绝|避免)|"
        r"没有?[^,。?、;!]{0,6}?不|不(?:反对|拒绝|否认)|(?:反对|拒绝|否认)[^,。?、;!]{0,10}?(?:不|禁止|"
        r"取消)", text)
    return [Advice("双重否定", f"“{word}”要绕两个弯才懂。改成肯定的说法。")] if word else []


_KNOWN = {"APP", "QQ", "VIP", "WIFI", "LED", "USB", "PDF", "OK", "ID", "GPS", "ATM", "KTV", "EMS", "DHL",
          "UPS", "TNT", "JD", "SF", "YTO", "ZTO", "STO", "CCTV", "CD", "DVD", "TV", "PC", "AI"}
_TERMS = (
    r"履约|妥投|逆向物流|越库|触点|库存周转|甩挂|计泡|抛货|泡重比?|体积重|落地配|前置仓|生命周期|"
    r"净推荐值|客诉|赋能|"
    r"颗粒度|闭环|痛点|用户画像|客户画像|集拼|供应链协同|数字化转型"
)


def _jargon(text):
    for found in re.finditer(rf"(?<![A-Za-z0-9])[A-Z][A-Z0-9]{{1,5}}(?![A-Za-z0-9])|{_TERMS}", text):
        word, around = found.group(), text[max(0, found.start() - 1):found.end() + 4]
        explained = "(" in around or ("“" in around and "指" in text)
        letters = sum(c.isalpha() for c in word)
        if word not in _KNOWN and letters > 1 and not explained:
            return [Advice("术语或缩写", f"“{word}”不是人人都懂。换成大白话，或者在括号里解释。")]
    return []


_COUNT = r"(?:\d+|[一两二三四五六七八九十半]+)"
_PERIOD = (
    rf"{_COUNT}个?(?:天|日|周|星期|礼拜|月|季度?|年|半年)|每(?:天|周|月|季|年|个)|"
    rf"[上本这去今]个?(?:周|月|季度|年|学期)|\d+月"
)


def _vague_time(text, choices):
    near = rf"(?:最近|近期|近来|过去)的?(?:这)?(?:{_COUNT}|第)"
    place = r"[离距][^,。?]{0,12}最近|最近的(?:网点|门店|驿站|站|仓库|快递柜|自提点|地铁)"
    dated = re.search(_PERIOD, text)
    word = ""
    if not re.search(f"{near}|{place}", text) and not dated:
        word = _search(r"最近|近期|近来|前段时间|前一阵|这段时间", text)
    if not word and not dated:
        word = _search(r"经常|常常|时常|频繁|(?<!最)常来|偶尔", text)
    if word:
        return [Advice("时间含糊", f"“{word}”各人理解不一样。写明多长时间，例如“过去 3 个月”。")]
    often = [c for c in choices if re.fullmatch(r"很?(?:经常|常常|有时|有时候|偶尔|时常|很少|频繁|不常)", c)]
    if len(often) > 1 and not any(re.search(r"\d", c) for c in choices):
        return [Advice("时间含糊", f"选项“{often[0]}”各人理解不一样。写成次数，例如“每月 1–2 次”。")]
    return []


def _absolute(text):
    word = _search(
        r"总是|永远|从来|绝对|百分之百|(?<![\d–\-~至到.])100%|每一?次都|一律|任何时候|"
        r"所有[^,。?]{0,10}?都|全都|始终|一直都|"
        r"毫无(?!疑问)", text)
    return [Advice("绝对词", f"“{word}”太满，难得有人真的做到。改问多少次，或者占几成。")] if word else []


def _private(text, choices):
    optional = any(re.search(r"不便|不愿|不想|保密|拒答|跳过", c) for c in choices)
    if optional or re.search(r"自愿|选填|可以?不填", text):
        return []
    ask = r"(?:[您你]的?|请[您你]?(?:填写?|写下?|留下?|输入|提供|告诉))"
    word = _search(r"身份证号码?|(?:银行卡|信用卡|社保)(?:卡?号|密码)|门牌号?|几栋几|(?:家庭|"
                   r"详细)的?(?:住址|地址)|家住(?:在)?哪|"
                   r"宗教信仰|政治面貌|病史|存款|婚姻状况|离过?婚|怀孕", text)
    word = word or _search(rf"{ask}[^,。?]{{0,6}}(?:手机号码?|电话号码|真实姓名|姓名|住址)(?=是|[:?。]|"
                           rf"$)", text)
    if not any(re.search(r"\d", c) for c in choices):
        word = word or _search(r"(?:收入|工资|薪水|年薪|月薪|奖金)[^,。?]{0,6}(?:多少|几千|几万|几元)|"
                               r"(?:具体|准确|精确|实际)的?(?:月|年)?(?:收入|工资)", text)
    advice = Advice("问隐私", f"“{word}”很多人不愿意答。用不着就删；要用就给范围，并写明可以不填。")
    return [advice] if word else []


def _unranged(text, choices):
    numbers = [c for c in choices if re.fullmatch(r"\d+分?", c)]
    if len(numbers) > 2 and len(numbers) == len(choices):
        if not re.search(r"=|表示|代表|最|非常|为|很|越|\d[–—\-~至到]+\d", text):
            return [Advice("没有量程", f"“{numbers[0]}”和“{numbers[-1]}”各代表什么？在题目里写明哪头好。")]
    elif not choices and re.search(r"打个?分|评分|[打给评]几分|多少分", text):
        ranged = re.search(r"\d分?[–—\-~至到]+\d|满分|[十百五]分制|\d+分|\d级|\d星|量表", text)
        if not ranged and not re.search(r"[吗么]\?*$", text):
            return [Advice("没有量程", "没说从几分到几分。写明量程，例如“1 到 5 分，5 分最好”。")]
    return []


# ---- 选项 ----

_LABEL = r"(?:^|(?<=\s))[A-Ha-h][.．、)）]"


def _choices(options) -> list[str]:
    if isinstance(options, dict):
        options = list(options.values())
    if isinstance(options, str):
        options = _split(options[:2000])
    if not isinstance(options, list | tuple):
        return []
    texts = (re.sub(r"^[A-Ha-h][.、):]", "", _plain_choice(o)) for o in options[:40])
    return [t for t in texts if t]


def _plain_choice(option) -> str:
    option = str(option) if isinstance(option, int) and not isinstance(option, bool) and abs(option) < 10**9 \
        else option
    if not isinstance(option, str):
        return ""
    option = re.sub(r"^\s*[①-⑳]", "", option[:100])
    return re.sub(r"[\s□○☐]+", "", unicodedata.normalize("NFKC", option))


def _split(text) -> list[str]:
    if len(re.findall(_LABEL, text)) > 1:
        return re.split(_LABEL, text)
    for mark in (r"\n", r"[；;]", r"[|｜]", r"、", r"，|,(?!\d{3})", r"\s*/\s*", r"\s+"):
        if len(parts := [p for p in re.split(mark, text.strip()) if p.strip()]) > 1:
            return parts
    return [text]


_ESCAPE = r"其他|其它|以上|都不|都没|没有|^无|不清楚|不知道|说不清|不确定|不了解|记不清|未|从不|没"
_CLOSED = (
    r"哪一?个?(?:月|季度|年级|班|校区|学期|性别|年龄|区间|范围|档|时间段|时段|阶段|周|天|部门|岗位|次|"
    r"年)|哪年|"
    r"以下|下面|下列|这[几两三四五些]|上述|其中|还是"
)


def _missing_choice(text, choices):
    if any(re.search(_ESCAPE, c) for c in choices):
        return []
    graded = [c for c in choices if re.fullmatch(_SCALE, c)]
    amounts = [c for c in choices if re.search(r"\d", c)]
    listing = not graded and not amounts and len(choices) > 2
    used = re.search(r"[用去买遇到听说]{1,2}过", text)
    which = re.search(r"哪|什么(?:原因|渠道|方式|途径|问题|困难|平台)|(?:主要|最大)的?(?:原因|渠道|困难|"
                      r"问题)", text)
    closed = re.search(_CLOSED, text)
    if listing and which and (used or not closed or "原因" in text):
        wanted = "以上都没有" if used and closed else "其他（请写）"
        return [Advice("缺少选项", f"有人一个也对不上。加一项“{wanted}”。")]
    seldom = _search(r"理赔|投诉处理|处理投诉|退换?货|退款|保价|上门取件|小程序|[Aa][Pp][Pp]|客服热线|"
                     r"代收货款|夜间配送|"
                     r"定时达|冷链", text)
    if seldom and len(graded) > 2 and not re.search(r"用过|[上这本]次|如果|刚才|您在.{1,20}时", text):
        return [Advice("缺少选项", f"不是人人都用过“{seldom}”。加一项“没有用过”。")]
    return []


_STEMS = (
    r"(?:满意|同意|赞成|支持|愿意|重要|好|方便|合理|及时|准时|信任|喜欢|可能|推荐|清楚|清晰|专业|热情|快|"
    r"便宜|容易|安全)"
)
_BAD_STEMS = r"(?:差|慢|贵|糟|坏|反对|讨厌|难|麻烦|糟糕|失望)"
_DEGREE = (
    r"(?:非常|很|十分|特别|比较|较|基本上?|还算|还|挺|有点|有些|极其?|极为|最|太|完全|相当|稍微?|略|"
    r"超级|一般)"
)
_GOOD = rf"{_DEGREE}*{_STEMS}|(?:还|很|挺|非常)?不错"
_BAD = rf"{_DEGREE}*(?:不太?|不大|不怎么|一点[也都]不){_DEGREE}*{_STEMS}|{_DEGREE}*{_BAD_STEMS}"
_SCALE = rf"(?:{_GOOD}|{_BAD})"
_NEUTRAL = ("一般", "一般般", "普通", "中立", "还可以", "还行", "差不多", "说不清",
            "不好说", "无所谓", "不确定")


def choices(options) -> list[str]:
    """The options of a questionnaire question as they were written, without their letters.

    >>> choices("A. 很满意；B. 不满意"), choices("1–3 次|10 次及以上"), choices("")
    (['很满意', '不满意'], ['1–3 次', '10 次及以上'], [])
    """
    letter = re.compile(r"^\s*(?:[A-Ha-h][.．、:：)）]|[□○☐①-⑳])*")
    found = [p for part in _split(options[:2000]) if (p := letter.sub("", part[:100]).strip())][:40]
    return found if len(found) > 1 else []


def scale(options) -> list[int] | None:
    """The score of each option of a rating scale (the best has most); None if they are no scale.

    >>> scale("很满意；满意；一般；不满意；很不满意"), scale("0；1；2"), scale("有；没有；忘了")
    ([5, 4, 3, 2, 1], [0, 1, 2], None)
    """
    found = _choices(options)
    numbers = [int(n[1]) for n in (re.fullmatch(r"(\d{1,2})分?", c) for c in found) if n]
    if len(found) > 2 and len(numbers) == len(found):
        return numbers if {b - a for a, b in pairwise(numbers)} in ({1}, {-1}) else None
    stems = {re.sub(rf"{_DEGREE}|不", "", c) for c in found if c not in _NEUTRAL}
    good, bad = (".*", ".*不.*") if len(stems) == 1 and "" not in stems else (_GOOD, _BAD)  # 很需要、不需要
    sides = [0 if c in _NEUTRAL else -1 if re.fullmatch(bad, c) else 1 if re.fullmatch(good, c) else None
             for c in found]
    if len(found) < 3 or None in sides or not {1, -1} <= set(sides):
        return None
    if sides == sorted(sides):
        return list(range(1, len(found) + 1))
    return list(range(len(found), 0, -1)) if sides == sorted(sides, reverse=True) else None


def _unbalanced(choices):
    good = [c for c in choices if re.fullmatch(_GOOD, c)]
    bad = [c for c in choices if re.fullmatch(_BAD, c)]
    if len(good) + len(bad) < 3 or len(good) == len(bad):
        return []
    return [Advice("量表不平衡", f"说好的有 {len(good)} 项，说不好的有 {len(bad)} 项。两边要一样多。")]


# ---- 数的区间 ----

_DIGITS = dict(zip("一二两三四五六七八九十", (1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10), strict=True))
_UNITS = (
    r"(?:元|块|次|件|票|单|天|年|个月|周岁|岁|人|个|家|公斤|千克|kg|KG|吨|小时|分钟|公里|km|米|%|口|"
    r"双|箱|趟)"
)
_FLOWING = ("公斤", "千克", "kg", "吨", "小时", "公里", "km", "米")  # 两个整数之间还有数
_NUMBER = r"(\d{1,9}(?:\.\d{1,3})?)(万|千)?"
_BELOW = r"以下|以内|之内|最多|至多|≤"
_UNDER = r"不满|不到|不足|低于|少于|小于|未满|<"
_ABOVE = r"以上|至少|起|≥"
_OVER = r"超过|多于|大于|高于|>|以外"


@dataclass(frozen=True)
class _Span:
    low: float
    high: float
    from_low: bool  # 含不含这一头
    to_high: bool
    step: float  # 写到哪一位：10 是十位，0.1 是一位小数
    text: str


def _intervals(choices):
    """Overlaps and gaps between number ranges. By law (民法典 1259) 以上、以下、以内 include the number."""
    numeric = [c for c in choices if re.search(r"\d|[一二两三四五六七八九十]" + _UNITS, c)]
    spans = [_span(c) for c in numeric]
    units = {_search(_UNITS, c).lower() for c in numeric} - {""}
    if len(spans) < 2 or None in spans or len(units) > 1 or not any(s.low != s.high for s in spans):
        return []
    spans.sort(key=lambda s: (s.low, s.high))
    unit = next(iter(units), "")
    flowing = unit in _FLOWING and not any("." in s.text for s in spans)
    found, overlap, gap = [], "", ""
    for a, b in pairwise(spans):
        step = min(a.step, b.step)
        last, first = (a.high, b.low) if flowing else (
            a.high - step * (not a.to_high), b.low + step * (not b.from_low))
        touching = abs(first - last) < 1e-9
        if first < last - 1e-9 or (
                touching and (not flowing or (a.to_high and b.from_low))):
            overlap = overlap or f"“{a.text}”和“{b.text}”"
        elif first > last + (0 if flowing else step) + 1e-9 or (
                flowing and touching and not a.to_high and not b.from_low):
            gap = gap or f"“{a.text}”和“{b.text}”之间"
    if overlap:
        worded = re.search(f"{_BELOW}|{_ABOVE}", overlap)
        law = "“以上”“以下”“以内”含本数，不含就写“超过”“不满”。" if worded else ""
        found.append(Advice("区间重叠", f"{overlap}有重叠，正好在边上的人不知道选哪个。{law}"))
    if not gap and unit != "%" and unit:
        if spans[-1].high != float("inf") and spans[-1].low != spans[-1].high:
            gap = f"比“{spans[-1].text}”还多的"
        elif spans[0].low > 1 and not _starts_low(choices, numeric):
            gap = f"比“{spans[0].text}”还少的"
    if gap:
        found.append(Advice("区间有空缺", f"{gap}没有地方选。补上这一档。"))
    return found


def _starts_low(choices, numeric) -> bool:
    return len(choices) > len(numeric)  # “没有寄过”“刚满”之类，不带数字


def _span(text):
    """One choice as a range of numbers; None if it is not plainly one."""
    text = re.sub(rf"([一二两三四五六七八九十])(?=[至到–—\-~]|{_UNITS})", lambda m: str(_DIGITS[m[1]]), text)
    plain = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    numbers = list(re.finditer(_NUMBER, plain))
    known = rf"{_NUMBER}|{_UNITS}|{_BELOW}|{_UNDER}|{_ABOVE}|{_OVER}|[–—\-~至到,()不含及约大且但的]"
    rest = re.sub(known, "", plain)
    if rest or not 1 <= len(numbers) <= 2:
        return None
    scales = [{"万": 10**4, "千": 10**3}.get(n[2], 1) for n in numbers]
    if len(numbers) == 2 and scales[0] == 1 and float(numbers[0][1]) < float(numbers[1][1]):
        scales[0] = scales[1]  # 1–3 万：都是万
    values = [float(n[1]) * scale for n, scale in zip(numbers, scales, strict=True)]
    step = min(scale * 10.0 ** -len(n[1].partition(".")[2])
               for n, scale in zip(numbers, scales, strict=True))
    if len(values) == 2:
        before, between = plain[: numbers[0].start()], plain[numbers[0].end():numbers[1].start()]
        after = plain[numbers[1].end():]
        if values[0] > values[1]:
            return None
        shut = not re.search(_UNDER, between) and "不含" not in after
        return _Span(*values, not re.search(_OVER, before), shut, step, text)
    value, infinite = values[0], float("inf")
    plain = re.sub("不超过|不多于|不大于|不高于", "≤", re.sub("不少于|不低于|不小于", "≥", plain))
    for words, span in ((_UNDER, (-infinite, value, True, False)), (_BELOW, (-infinite, value, True, True)),
                        (_OVER, (value, infinite, False, True)), (_ABOVE, (value, infinite, True, True))):
        if re.search(words, plain):
            return _Span(*span, step, text)
    return _Span(value, value, True, True, step, text)
