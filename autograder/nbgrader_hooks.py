"""nbgrader 的配件，由 ``assignments/nbgrader_config.py`` 按名字装上。"""

from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_task
from traitlets import List

from autograder.build import HIDDEN

TEMPLATES = Path(__file__).parent / "templates"
BROKEN = "这一题的检查没有跑完（{}）。把整个文件夹和这一页一起给老师看。"


class RefuseOwnAnswers(NbGraderPreprocessor):
    """Stop generate_assignment where the teacher's own answers would go to the whole class."""

    def preprocess(self, nb, resources):
        left = Path(resources["metadata"]["path"]) / "answers.json"
        if left.exists():
            raise RuntimeError(f"{left} 是老师试做时留下的答案，会发给全班。把它删掉，再生成一次。")
        return nb, resources


class FeedbackPage(NbGraderPreprocessor):
    """What a student may see of the graded notebook; runs after GetGrades.

    nbgrader put hidden tests and model answers back before grading and would print them, and a traceback
    would quote them. Of a test cell only the score card stays, which also has the answer; of a widget, its
    answer as text where people mark it. Tasks that nobody has marked yet are flagged ``pending``, so that
    the page does not show them as zero.
    """

    display_data_priority = List(config=True)  # nbconvert 会递进来；不收就有一行警告

    def preprocess(self, nb, resources):
        about = resources["nbgrader"]
        with Gradebook(about["db_url"]) as gradebook:
            notebook = gradebook.find_submission_notebook(
                about["notebook"], about["assignment"], about["student"])
            self.pending = {g.name for g in notebook.grades if g.needs_manual_grade}
        about["pending"] = len(self.pending)
        nb.metadata.pop("widgets", None)  # 反馈页不带脚本：控件在这里动不了，答案已经是文字
        self.manual = False
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell, resources, index):
        after_manual, self.manual = self.manual, is_task(cell)
        if is_grade(cell) or is_task(cell):
            cell.source = HIDDEN.sub("", cell.source).rstrip()
            if cell.metadata.nbgrader["grade_id"] in self.pending:
                cell.metadata.nbgrader["pending"] = True
            if "outputs" in cell:
                cell.outputs = _score_card(cell.outputs)
        elif "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if not _is_widget(o, keep_text=after_manual)]
        if cell.metadata.get("nbgrader", {}).get("comment") == "No response.":  # nbgrader 自己写的
            del cell.metadata.nbgrader["comment"]
        return cell, resources


def _score_card(outputs) -> list:
    errors = [o for o in outputs if o.output_type == "error"]
    for error in errors:
        error.traceback, error.evalue = [BROKEN.format(error.ename)], ""
    return [o for o in outputs if o.output_type == "display_data"][-1:] + errors


def _is_widget(output, keep_text) -> bool:
    data = output.get("data", {})
    return ("application/vnd.jupyter.widget-view+json" in data
            or (not keep_text and 'class="crm-print"' in data.get("text/html", "")))
