"""脏数据的记录：在哪张表、哪一行、哪一列、放了哪一种，原来应该是什么。

老师凭这份记录给“清洗数据”的作业评分；它不在学生拿到的文件夹里。
"""

KINDS = {
    "重复客户": "同一家客户登记了两次，名称写法不同",
    "日期写法": "日期写成了别的样子",
    "单位混用": "重量按克、金额按分填写",
    "负运费": "运费成了负数",
    "孤儿运单": "客户编号在客户表里查不到",
    "晚扫描": "签收后第二天才补扫，签收时间偏晚",
    "错号码": "手机号少一位",
    "全角号码": "手机号打成了全角数字",
    "重复线索": "同一家企业登记了两次",
    "代码-99": "没有回答的题填成 -99",
    "直线作答": "所有题填同一个数",
    "反向题未反": "反向题按正向填了",
    "重复付款": "同一张账单付了两次",
    "违反同意": "客户不同意营销，却被联系了",
    "过度收集": "登记了不该收集的个人信息",
    "缺填": "该填的没有填",
}


class Log:
    """Collects what was planted: one entry per cell (or row)."""

    def __init__(self):
        self.entries = []

    def add(self, kind, table, keys, column, was, now):
        """Note planted mess.

        Args:
            kind: one of ``KINDS``.
            table, column: where.
            keys: the key of each row, as it stands in the table.
            was, now: the right cell and the planted one, one each per row (texts).
        """
        if kind not in KINDS:
            raise KeyError(kind)
        self.entries += [
            (kind, table, str(k), column, str(w), str(n)) for k, w, n in zip(keys, was, now, strict=True)
        ]

    def csv_bytes(self) -> bytes:
        from autograder.company.frames import quote

        lines = ["类别,表,主键,列,应为,现为"]
        lines += [",".join(map(quote, entry)) for entry in self.entries]
        return b"\xef\xbb\xbf" + ("\r\n".join(lines) + "\r\n").encode()
