"""学生一侧的小工具箱：``import crmlib as crm``。

每个名字第一次用到时才装入，所以 ``import crmlib`` 几乎不花时间，
卡片课也不会把 pandas 装进内存。
"""

from importlib import import_module

# 名字 → 它所在的模块
_NAMES = {
    "setup": "crmlib.style",
    "load": "crmlib.data",
    "task": "crmlib.tasks",
    "check": "crmlib.tasks",
    "score": "crmlib.tasks",
    "handed": "crmlib.tasks",
    "answer": "crmlib.tasks",
    "progress": "crmlib.learned",
    "deliver": "crmlib.deliver",
    "portfolio": "crmlib.portfolio",
    "hand_in": "crmlib.handin",
    "board": "crmlib.boards",
    "live_results": "crmlib.live",
}

__all__ = sorted(_NAMES)


def __getattr__(name):
    if name in _NAMES:
        found = getattr(import_module(_NAMES[name]), name)
        globals()[name] = found  # 装入 crmlib.deliver 时，同名的模块会占住这个名字：换回函数
        return found
    raise AttributeError(f"crmlib 里没有 {name}；可以用的有：{'、'.join(__all__)}")


def __dir__():
    return __all__
