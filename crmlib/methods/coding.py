"""开放题：分词、词频、按编码手册编码、机器学编码，以及两个人编得一不一致。"""

import functools
from collections import Counter
from math import sqrt

import numpy as np
import pandas as pd

from crmlib.cli import CourseError
from crmlib.methods._common import (
    Result,
    as_frame,
    at_least,
    axes,
    label,
    number,
    numeric,
    result,
    same_length,
)
from crmlib.methods.survey import wilson_limits, z_value
from crmlib.words import STOP_WORDS, tokens

# ---------------------------------------------------------------- 编码员是否一致


@result
class Agreement(Result):
    value: float = label("一致性系数")
    low: float | None = label("下限")
    high: float | None = label("上限")
    observed: float = label("实际一致的比例")
    expected: float = label("碰巧一致的比例")
    n: int = label("编码的条数")
    reading: str = label("怎么读")


def _reading(value):  # Landis & Koch 1977
    for limit, words in ((.2, "几乎不一致"), (.4, "略微一致"), (.6, "中等一致"), (.8, "基本一致")):
        if value <= limit:
            return words
    return "几乎完全一致"


def cohen_kappa(first, second=None, *, weights=None, confidence=.95) -> Agreement:
    """Agreement of two coders beyond chance.

    Two lists of codes for the same answers (pairs with a missing code are left out), or, without ``second``,
    a square table of counts (rows: first coder). weights: None, ``"linear"`` or ``"quadratic"`` for ordered
    codes (their order is that of the table, or sorted). If both used one and the same code throughout,
    chance agreement is already complete and κ undefined: that is an error.
    Source: Cohen 1960; standard error: Fleiss, Cohen & Everitt 1969.

    >>> r = cohen_kappa([[20, 5], [10, 15]])
    >>> round(r.value, 2), r.observed, r.reading
    (0.4, 0.7, '略微一致')
    """
    if second is None:
        frame = as_frame(first, "一致表")
        table = np.array([numeric(frame[c], c, low=0) for c in frame]).T
        if table.ndim != 2 or table.shape[0] != table.shape[1]:
            raise CourseError("只给一张表时，它要是方的：行是第一位编码员，列是第二位，编码的顺序相同。")
    else:
        same_length(第一位=first, 第二位=second)
        pair = pd.DataFrame({"a": list(first), "b": list(second)}).dropna()
        codes = sorted(set(pair["a"]) | set(pair["b"]), key=lambda c: (str(type(c)), c))
        table = pd.crosstab(pair["a"], pair["b"]).reindex(index=codes, columns=codes, fill_value=0).to_numpy()
    n = table.sum()
    at_least(n, 2, "条两人都编了码的回答")
    p = table / n
    k = len(p)
    apart = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / max(k - 1, 1)
    kinds = {None: (apart == 0).astype(float), "linear": 1 - apart, "quadratic": 1 - apart ** 2}
    if weights not in kinds:
        raise CourseError(f"没有“{weights}”这种权重；可以用 None、linear、quadratic。")
    w = kinds[weights]
    row, col = p.sum(1), p.sum(0)
    observed, expected = (w * p).sum(), (w * np.outer(row, col)).sum()
    if expected > 1 - 1e-12:
        raise CourseError("两人从头到尾都只用了同一个编码，碰巧也会全部一致，κ 没有意义。换一批回答再比。")
    value = (observed - expected) / (1 - expected)
    mean_w = np.add.outer(w @ col, w.T @ row)
    variance = (p * (w - mean_w * (1 - value)) ** 2).sum() - (value - expected * (1 - value)) ** 2
    half = z_value(confidence) * sqrt(max(variance, 0) / n) / (1 - expected)
    return Agreement(value, value - half, min(value + half, 1), observed, expected, int(n), _reading(value))


def fleiss_kappa(counts, confidence=.95) -> Agreement:
    """Agreement of several coders. counts: a row per answer, a column per code: how many coders chose it.

    Every answer needs the same number of coders (else use ``krippendorff_alpha``). The interval's standard
    error is the one under chance agreement (Fleiss, Nee & Landis 1979), as printed by most programs.
    Source: Fleiss 1971.

    >>> round(fleiss_kappa([[3, 0], [2, 1], [0, 3], [3, 0]]).value, 3)
    0.625
    """
    frame = as_frame(counts, "编码表")
    at_least(len(frame), 2, "条回答（行）")
    table = np.array([numeric(frame[c], c, low=0) for c in frame]).T
    n, coders = len(table), table.sum(1)
    if len(set(coders)) > 1:
        raise CourseError(f"每条回答的编码人数要相同，现在最少 {coders.min():g}、最多 {coders.max():g}。"
                          "人数不同时用 krippendorff_alpha。")
    m = coders[0]
    at_least(m, 2, "位编码员")
    share = table.sum(0) / (n * m)
    observed = ((table ** 2).sum(1) - m).mean() / (m * (m - 1))
    expected = (share ** 2).sum()
    if expected > 1 - 1e-12:
        raise CourseError("所有人从头到尾都只用了同一个编码，κ 没有意义。换一批回答再比。")
    value = (observed - expected) / (1 - expected)
    q = share * (1 - share)
    se = sqrt(2 / (n * m * (m - 1))) / q.sum() * sqrt(max(q.sum() ** 2 - (q * (1 - 2 * share)).sum(), 0))
    half = z_value(confidence) * se
    return Agreement(value, value - half, min(value + half, 1), observed, expected, n, _reading(value))


def krippendorff_alpha(ratings, level="nominal") -> float:
    """Agreement of any number of coders. ratings: a row per coder, a column per answer; gaps are allowed.

    level: ``"nominal"`` (names), ``"ordinal"`` (ranks), ``"interval"`` (distances) or ``"ratio"``. Answers
    with fewer than two codes are left out. If everyone used one code throughout, α is undefined: an error.
    Source: Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.

    >>> round(krippendorff_alpha([[1, 2, 3, None], [1, 2, 2, 4]]), 3)
    0.545
    """
    frame = as_frame(ratings, "编码表")
    at_least(len(frame), 2, "位编码员（行）")
    at_least(int(frame.notna().to_numpy().sum()), 1, "个编码")
    values = sorted(pd.unique(frame.stack().dropna()), key=lambda v: (str(type(v)), v))
    counts = np.array([[(frame[u] == v).sum() for v in values] for u in frame], float)
    counts = counts.reshape(-1, len(values))
    counts = counts[counts.sum(1) > 1]
    at_least(len(counts), 1, "条有两人以上编码的回答")
    m = counts.sum(1, keepdims=True)
    together = (counts.T @ (counts / (m - 1))) - np.diag((counts / (m - 1)).sum(0))
    total = together.sum(0)
    n = total.sum()
    if level == "nominal":
        d2 = 1 - np.eye(len(values))
    elif level == "ordinal":
        middle = np.cumsum(total) - total / 2
        d2 = np.subtract.outer(middle, middle) ** 2
    elif level in ("interval", "ratio"):
        v = numeric(values, "编码", low=0 if level == "ratio" else None)
        d2 = np.subtract.outer(v, v) ** 2
        if level == "ratio":
            scale = np.add.outer(v, v)
            d2 = np.divide(d2, scale ** 2, out=np.zeros_like(d2), where=scale > 0)
    else:
        raise CourseError(f"没有“{level}”这种尺度；可以用 nominal、ordinal、interval、ratio。")
    chance = (np.outer(total, total) * d2).sum()
    if chance == 0:
        raise CourseError("所有人都只用了同一个编码，α 没有意义。换一批回答再比。")
    return float(1 - (n - 1) * (together * d2).sum() / chance)


# ---------------------------------------------------------------- 词频和编码手册

def word_counts(texts, words=(), stop=STOP_WORDS, least=1) -> pd.DataFrame:
    """Words by the number of answers that use them (not how often): columns 回答数 and 占比.

    >>> word_counts(["太慢了", "慢，破损", None])["回答数"].to_dict()
    {'太慢': 1, '慢': 1, '破损': 1}
    """
    texts = [t for t in texts if isinstance(t, str) and t.strip()]
    at_least(len(texts), 1, "条有字的回答")
    count = Counter(w for t in texts for w in set(tokens(t, words, stop)))
    rows = sorted(((w, c) for w, c in count.items() if c >= least), key=lambda r: (-r[1], r[0]))
    table = pd.DataFrame({"回答数": [c for _, c in rows]}, pd.Index([w for w, _ in rows], name="词"))
    table["占比"] = table["回答数"] / len(texts)
    return table


def code_answers(texts, code_book) -> pd.DataFrame:
    """Apply a code book: a row per answer, a column of 0/1 per code; an answer may have several codes.

    code_book: dict code → list of words or phrases, any of which gives the code. A word that begins with
    "-" takes it back: ``"时效": ["慢", "-慢慢来"]``. Words are looked for anywhere in the text, so no
    segmentation can hide them. Column 未编码 marks answers without any code; empty answers are missing in
    every column.

    >>> book = {"时效": ["慢", "晚"], "破损": ["破", "碎"]}
    >>> code_answers(["送得慢，盒子破了", "挺好"], book).values.tolist()
    [[1, 1, 0], [0, 0, 1]]
    """
    if not code_book:
        raise CourseError("编码手册是空的：写成 {编码: [词, 词, …]}。")
    texts = pd.Series(texts)
    blank = ~texts.map(lambda t: isinstance(t, str) and bool(t.strip()))
    clean = texts.where(~blank, "").astype(str).str.lower()
    coded = pd.DataFrame(index=texts.index)
    for code, words in code_book.items():
        words = [words] if isinstance(words, str) else list(words)
        give = [w.lower() for w in words if w and not w.startswith("-")]
        take = [w[1:].lower() for w in words if w.startswith("-") and len(w) > 1]
        if not give:
            raise CourseError(f"编码“{code}”没有一个词。至少写一个。")
        searched = clean
        for phrase in take:  # 先把不算数的说法去掉，再找算数的词
            searched = searched.str.replace(phrase, "＿", regex=False)
        coded[code] = searched.map(lambda t, give=give: int(any(w in t for w in give)))
    coded["未编码"] = (coded.sum(axis=1) == 0).astype(int)
    return coded.mask(blank) if blank.any() else coded


def code_frequencies(coded, confidence=.95) -> pd.DataFrame:
    """How many answers have each code, with Wilson intervals, the most frequent first.

    >>> code_frequencies(pd.DataFrame({"时效": [1, 1, 0, None]})).round(2).values.tolist()
    [[2.0, 0.67, 0.21, 0.94]]
    """
    rows = {}
    for code in coded:
        values = numeric(coded[code], code, low=0, high=1, missing=True)
        n, hits = int((~np.isnan(values)).sum()), int(np.nansum(values))
        at_least(n, 1, "条编了码的回答")
        low, high = wilson_limits(hits, n, confidence)
        rows[code] = {"回答数": hits, "占比": hits / n, "下限": float(low), "上限": float(high)}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.sort_values("回答数", ascending=False, kind="stable")


# ---------------------------------------------------------------- 机器学着编码

@result
class Coder(Result):
    f1: float = label("留出数据上的平均 F1")
    accuracy: float = label("留出数据上的正确率")
    baseline: float = label("全猜最多的一类时的正确率")
    trained: int = label("学习用的条数")
    tested: int = label("检验用的条数")
    by_code: pd.DataFrame = label("各编码")
    confusion: pd.DataFrame = label("混淆表（行：人，列：机器）")
    model: object = None

    def predict(self, texts) -> list[str]:
        """Codes for new answers."""
        return self.model.predict([t if isinstance(t, str) else "" for t in texts]).tolist()


def train_coder(texts, codes, *, test_share=.3, words=(), seed=0) -> Coder:
    """Learn one code per answer from answers coded by people; judged on answers it has not seen.

    TF-IDF of words and of word pairs, logistic regression with classes weighted equally. Needs at least five
    answers per code; answers or codes that are missing are left out. The same seed gives the same result.
    ``.predict(texts)`` codes new answers.

    >>> coder = train_coder(["送得慢", "太慢了"] * 6 + ["破了", "压破"] * 6, ["时效"] * 12 + ["破损"] * 12)
    >>> coder.f1, coder.predict(["慢"])
    (1.0, ['时效'])
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support
    from sklearn.model_selection import train_test_split
    from sklearn.pipeline import make_pipeline

    same_length(回答=texts, 编码=codes)
    table = pd.DataFrame({"text": list(texts), "code": list(codes)}).dropna()
    table = table[np.array([isinstance(t, str) and bool(t.strip()) for t in table["text"]], bool)]
    sizes = table["code"].value_counts()
    at_least(len(sizes), 2, "种编码")
    if sizes.min() < 5:
        raise CourseError(f"编码“{sizes.idxmin()}”只有 {sizes.min()} 条，太少，机器学不会。"
                          "每种至少 5 条：多编几条，或与相近的编码合并。")
    test_share = number(test_share, "检验用的比例", above=0, below=1)
    learn, test = train_test_split(table, test_size=max(test_share, len(sizes) / len(table)),
                                   stratify=table["code"], random_state=seed)
    words = tuple(words)
    model = make_pipeline(
        TfidfVectorizer(tokenizer=functools.partial(tokens, words=words), token_pattern=None,
                        lowercase=False, ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=10, class_weight="balanced", max_iter=1000))
    model.fit(learn["text"], learn["code"])
    said = model.predict(test["text"])
    names = model.classes_
    scores = precision_recall_fscore_support(test["code"], said, labels=names, zero_division=0)
    by_code = pd.DataFrame(dict(zip(["精确率", "召回率", "F1", "条数"], scores, strict=True)), names)
    confusion = pd.DataFrame(confusion_matrix(test["code"], said, labels=names), names, names)
    most = learn["code"].mode().iloc[0]
    return Coder(by_code["F1"].mean(), (said == test["code"]).mean(), (test["code"] == most).mean(),
                 len(learn), len(test), by_code, confusion, model)


def plot_codes(frequencies, ax=None):
    """Bars of ``code_frequencies`` (with intervals) or ``word_counts``, at most 15; returns the Axes."""
    ax = axes(ax)
    shown = frequencies.iloc[:15][::-1]
    ends = 100 * shown.get("上限", shown["占比"])
    arms = [100 * (shown["占比"] - shown["下限"]), ends - 100 * shown["占比"]] if "下限" in shown else None
    ax.barh(shown.index.astype(str), 100 * shown["占比"], color="C0", xerr=arms,
            error_kw={"ecolor": "0.25", "elinewidth": 2, "capsize": 4})
    for i, (end, count) in enumerate(zip(ends, shown["回答数"], strict=True)):
        ax.annotate(f"{count:.0f} 条", (end, i), (8, 0), textcoords="offset points", va="center")
    ax.margins(x=.15)
    ax.grid(axis="y", visible=False)
    ax.set_xlabel("提到的回答占比（%）")
    return ax
