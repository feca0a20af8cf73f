"""命令写错了、要看说明：每一条命令都用中文说，一句英文也没有。"""

import re

import pytest

from crmlib import cli

ENGLISH = re.compile(r"\b(usage|error|options|arguments?|required|unrecognized|invalid|show this)\b", re.I)
COMMANDS = [[name] for name in cli.commands() if name != "class"]
COMMANDS += [["class", name] for name in cli.commands("crm.class")]


def said(capsys, argv) -> tuple[int, str]:
    code = cli.main(argv)
    out = capsys.readouterr()
    return code, out.out + out.err


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_and_faults_are_in_chinese(command, capsys):
    code, text = said(capsys, [*command, "--help"])
    assert not code and "crm" in text and not ENGLISH.search(text), text
    code, text = said(capsys, [*command, "--nein", "x", "y", "z"])
    assert code in (1, 2) and re.search(r"[\u4e00-\u9fff]", text) and not ENGLISH.search(text), text


@pytest.mark.parametrize(("argv", "words"), [
    ([], "还要写明：单元。"),
    (["1.1", "--nein"], "不认识“--nein”。"),
    (["1.1", "--count"], "--count 后面要写一个值。"),
    (["1.1", "--count", "abc"], "--count 要写整数，不能是“abc”。"),
    (["1.1", "--kind", "c"], "--kind 不能是“c”，只能是："),
    (["1.1", "--all=3"], "--all 后面不要写值。"),
    (["1.1", "--all", "--none"], "--none 和 --all 只能写一个。"),
    (["1.1", "--c"], "--c 写得太短，可能是："),
])
def test_a_fault_names_what_is_wrong(argv, words, capsys):
    parser = cli.Parser(prog="crm x")
    parser.add_argument("unit", metavar="单元")
    parser.add_argument("--count", type=int)
    parser.add_argument("--kind", choices=["a", "b"])
    parser.add_argument("--copy")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--all", action="store_true")
    group.add_argument("--none", action="store_true")
    with pytest.raises(SystemExit) as end:
        parser.parse_args(argv)
    text = capsys.readouterr().err
    assert end.value.code == 2 and text.startswith(f"[出错] {words}") and "用法：crm x" in text
