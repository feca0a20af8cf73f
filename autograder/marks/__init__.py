"""学期成绩册：四份标准的考核方案、名单、自评互评、考勤、老师评分，合成一个说得清来路的分数。

schemes 方案 · school 学校自己的方案 · sheets 读学校的表 · roster 名单 · inputs 读进分数 · templates 打分表 ·
allocate 分派互评 · peers 评价表 · store 只增不改的记录 · state 记录叠成现状 · facts 每个学生有什么、缺什么 ·
compute 算分 · signals 提示 · report 汇总 · workbook、pages 成绩表 · desk 点按钮的面板 · cli 命令
"""
