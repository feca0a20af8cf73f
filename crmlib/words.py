"""分词：把中文句子切成词。只用 rjieba，不装 pandas：课堂投票也用它，要快。"""

import functools
import re

# 数词频时没有意思的词；只删虚词和代词，“不”“没”要留着：它们会把意思反过来
_STOP = """的 了 是 在 我 你 他 她 它 我们 你们 他们 和 与 也 都 就 还 又 很 太 非常 比较 有点 一个 一下 这 那
这个 那个 这次 每次 什么 怎么 吧 吗 呢 啊 呀 哦 嗯 着 过 得 地 把 被 让 给 对 从 到 上 下 里 要 会 能 可以
而且 但是 但 因为 所以 如果 就是 还是 希望 感觉 觉得"""
STOP_WORDS = frozenset(_STOP.split())


@functools.lru_cache(maxsize=8)
def _cutter(words):
    import rjieba

    cutter = rjieba.Jieba()
    for word in words:
        cutter.add_word(word.lower(), None, None)
    return cutter


def tokens(text, words=(), stop=STOP_WORDS) -> list[str]:
    """Words of a Chinese text (jieba's dictionary and algorithm), without punctuation and ``stop`` words.

    words: trade terms to keep whole; a missing text has no words.

    >>> tokens("快递员态度差，签收超时！"), tokens("签收超时", words=["签收超时"])
    (['快递', '员', '态度', '差', '签收', '超时'], ['签收超时'])
    """
    if not isinstance(text, str):
        return []
    found = _cutter(tuple(words)).cut(text.lower())
    return [w for w in found if re.search(r"\w", w) and w not in stop]
