"""nbgrader 的配件，由 ``assignments/nbgrader_config.py`` 按名字装上。"""

from pathlib import Path

from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_task

from autograder.build import HIDDEN

BROKEN = "这一题的检查没有跑完（{}）。把整个文件夹和这一页一起给老师看。"


class RefuseOwnAnswers(NbGraderPreprocessor):
    """Stop generate_assignment where the teacher's own answers would go to the whole class."""

    def preprocess(self, nb, resources):
        left = Path(resources["metadata"]["path"]) / "answers.json"
        if left.exists():
            raise RuntimeError(f"{left} 是老师试做时留下的答案，会发给全班。把它删掉，再生成一次。")
        return nb, resources


class HideKeys(NbGraderPreprocessor):
    """Keep hidden tests and model answers out of the feedback page.

    nbgrader puts them back before grading and would print them; a traceback would quote them too.
    """

    def preprocess_cell(self, cell, resources, index):
        if is_grade(cell) or is_task(cell):
            cell.source = HIDDEN.sub("", cell.source).rstrip()
            for output in cell.get("outputs", []):
                if output.output_type == "error":
                    output.traceback = [BROKEN.format(output.ename)]
                    output.evalue = ""
        return cell, resources
