"""nbgrader 的设置。这个文件夹就是一个普通的 nbgrader 课程目录，复制到哪里都能用。

    nbgrader generate_assignment 2.2-swot-pest     去掉答案，生成学生版 release/
    nbgrader autograde 2.2-swot-pest               批 submitted/ 里收来的作业
    nbgrader generate_feedback 2.2-swot-pest       生成每个学生的反馈页 feedback/
"""

import os
import sys
from pathlib import Path

import autograder

TEMPLATES = Path(autograder.__file__).parent / "templates"  # 只要路径：装上 nbgrader_hooks 要两三秒

c = get_config()  # noqa: F821  nbgrader 读这个文件时提供

# 第一次使用时 nbgrader 会另外运行 alembic 来建成绩库；它和 Python 装在同一个文件夹里
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ.get("PATH", "")

c.CourseDirectory.course_id = "crm"

# 学生版里，答案的位置换成这几个字
c.ClearSolutions.code_stub = {"python": "# 要多写几行，就写在这里"}
c.ClearSolutions.text_stub = "写在这里。"

# 学校的电脑慢：启动给 2 分钟，每一格给 1 分钟；死循环到时间就打断
c.Execute.startup_timeout = 120
c.Execute.timeout = 60
c.Execute.error_on_timeout = {
    "ename": "超时", "evalue": "", "traceback": ["这一格运行超过 1 分钟，被打断了。是不是有停不下来的循环？"]}

# 老师在 source/ 里试做会留下 answers.json：不许发给学生，也不许盖掉学生的
c.GenerateAssignment.preprocessors.insert(0, "autograder.nbgrader_hooks.RefuseOwnAnswers")
c.Autograde.exclude_overwriting = {
    folder.name: ["answers.json"] for folder in Path(__file__).parent.glob("source/*")}

# 反馈页：中文，不带隐藏测试和参考答案
c.GenerateFeedback.preprocessors.insert(1, "autograder.nbgrader_hooks.FeedbackPage")
c.GenerateFeedback.HTMLExporter.template_name = "feedback_zh"
c.GenerateFeedback.HTMLExporter.extra_template_basedirs = [str(TEMPLATES)]

# 导出成绩：列和原来一样，人多也快，Excel 打开不是乱码
c.ExportApp.plugin_class = "autograder.classroom.export.ExportCsv"

# 交作业以前的 Validate 按钮
c.Validator.changed_warning = "有 {num_changed} 个检查格被改过。从作业里重新复制一份笔记，再交。\n"
c.Validator.type_changed_warning = "有 {num_changed} 个格子变了类型。从作业里重新复制一份笔记，再交。\n"
c.Validator.failed_warning = "有 {num_failed} 个检查格出错。看下面写的是哪一格，改好再交。\n"
c.Validator.passed_warning = "有 {num_passed} 个检查格通过。\n"
