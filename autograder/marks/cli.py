"""``crm class marks``、``crm class roster``、``crm class peers``：学期成绩册的命令。"""

import argparse
from pathlib import Path

from autograder.marks import inputs, peers, roster, schemes, school, store, templates
from autograder.marks.facts import Facts
from autograder.marks.schemes import KINDS, Scheme
from autograder.marks.state import State, fold
from autograder.marks.store import Entry, Store
from crmlib import paths
from crmlib.cli import CourseError

MARKS = """crm class marks                                    看现在：谁的总分能定，还缺什么
crm class marks --scheme kd --by 王老师            开学定方案：kd、wl，或学校填好的文件
    还可以加：--until 2027-01-15（学期最后一天） --places 1（总分几位小数）
              --peer within（wl 的小组互评读成组内）
    学期中要改：再加 --new-version --reason 原因
crm class marks form js                            写一张学校自己定方案的表（js、sw、kd、wl）
crm class marks template [分项 …]                  写老师的打分表和考勤表
crm class marks read 打分表.xlsx …                 读回打分表（别的表加 --part 分项 --by 姓名）
crm class marks attendance 考勤.xlsx --by 姓名     读考勤；--close 学期末结束考勤
crm class marks items 分项 作业 … --due 日期       说明哪些作业算进一个分项
crm class marks pull                               取 nbgrader 批好的分
crm class marks decide zero|excuse|reweight 学号 分项 --by 姓名 --reason 原因 [--kind self] [--item 项目]
crm class marks comment 学号 话 --by 姓名 [--kind 企业]  写给学生的评语，不计分
crm class marks void 编号 --by 姓名 --reason 原因  作废一条记录（旧的还在）
crm class marks report [--out 文件夹]              写成绩表：全班的给老师，每人一份给学生
crm class marks issue --by 姓名                    把能定的总分定下来
crm class marks log [学号]                         看记录，查有没有被改过
crm class marks export 文件.zip / import 文件.zip  全部导出、导入
  都可以加：--course 班级文件夹  --db 成绩库地址  --today 日期"""

ROSTER = """crm class roster                              看名单和小组
crm class roster 名单.xlsx [--date 日期]      读入或更新名单（学号、姓名、班级、小组；.xlsx、.csv）
    还可以加：--width 10（学号的位数，补回丢了的 0） --class 物流2401（表里没有班级时） --by 姓名
crm class roster move 学号 小组 [--date 日期] 换组
crm class roster leave 学号 --reason 原因     退出这门课
crm class roster template                     写一张空名单"""

PEERS = """crm class peers                               看每一轮自评、互评交了多少
crm class peers new 轮次 [--due 日期]         分派，给每个学生写一个文件夹
    还可以加：--kinds self,peer_within（只评这几种） --each 3（每人评几个别的组） --seed 暗号 --title 标题
crm class peers repair 轮次                   有人来、换组、退出以后：只补缺的
crm class peers read [文件夹]                 读收回来的表（文件夹或 zip；不写就是 submitted）
  都可以加：--out 文件夹（不写就是 peers） --course 班级文件夹 --by 姓名"""


class _Parser(argparse.ArgumentParser):
    usage_text = ""

    def error(self, message):
        wrong = message.partition("argument ")[2].partition(":")[0] or message.partition(": ")[2]
        raise CourseError(f"命令写错了：{wrong or message} 这里看不懂。用法：\n{self.usage_text}")


def _parser(name, text, *flags):
    parser = _Parser(prog=f"crm class {name}", add_help=False, allow_abbrev=False)
    parser.usage_text = text
    parser.add_argument("words", nargs="*")
    parser.add_argument("-h", "--help", action="store_true")
    for flag in ("--course", "--db", "--by", "--date", "--today", "--reason", "--out", *flags):
        parser.add_argument(flag, default="")
    return parser


def opened(folder: Path, **options):
    """A class folder from Python: ``with opened(folder) as klass: klass.state …``."""
    return _Class(
        argparse.Namespace(
            **{
                **dict.fromkeys(("course", "db", "by", "date", "today"), ""),
                **options,
                "course": str(folder),
            }
        )
    )


_BROKEN = ("记录被改过：第 {} 条和指纹对不上，或者它前面少了一条。在查清以前，不再往里写。"
           "crm class marks log 列出它以前的记录；用导出的备份核对。")


class _Class:
    """A class folder, its store, and what the log adds up to now."""

    def __init__(self, options):
        self.folder = Path(options.course or ".")
        if not self.folder.is_dir():
            raise CourseError(f"没有文件夹 {self.folder}。--course 要写班级文件夹。")
        self.today = roster.a_day(options.today or None)
        self.day = roster.a_day(options.date or options.today or None)
        self.by = options.by.strip()
        self.store = Store(store.where(self.folder, options.db or None))
        entries = self.store.read()
        self.broken = store.broken(entries)
        if self.broken and getattr(options, "words", [])[:1] != ["log"]:
            self.store.close()
            raise CourseError(_BROKEN.format(self.broken))
        self.state = fold(entries[: self.broken - 1] if self.broken else entries)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.store.close()

    def add(self, entries) -> list[Entry]:
        added = self.store.add(entries)
        self.state = fold([*self.state.entries, *added])
        return added

    def need_scheme(self) -> Scheme:
        if self.state.scheme is None:
            raise CourseError("还没有定考核方案。开学先定：crm class marks --scheme kd --by 王老师"
                              "（kd、wl，或者学校填好的方案文件）")
        return self.state.scheme

    def need_by(self) -> str:
        if not self.by:
            raise CourseError("要写明是谁：加上 --by 姓名。")
        return self.by

    def out(self, options, name: str) -> Path:
        place = Path(options.out) if options.out else self.folder / name
        place.mkdir(parents=True, exist_ok=True)
        return place


# ---- marks ----

def marks(argv) -> int:
    """学期成绩：考核方案、打分、考勤、总分、成绩表"""
    parser = _parser(
        "marks", MARKS, "--scheme", "--until", "--places", "--peer", "--part", "--kind", "--item", "--due"
    )
    parser.add_argument("--new-version", action="store_true")
    parser.add_argument("--close", action="store_true")
    options = parser.parse_args(argv)
    if options.help:
        print(MARKS)
        return 0
    what, *words = options.words or ["show"]
    if what == "form":
        return _form(options, words)
    known = {"show": _show, "template": _template, "read": _read, "attendance": _attendance, "items": _items,
             "pull": _pull, "decide": _decide, "comment": _comment, "void": _void, "report": _report,
             "issue": _issue, "log": _log, "export": _export, "import": _import}
    if what not in known:
        raise CourseError(f"没有“{what}”这个做法。用法：\n{MARKS}")
    with _Class(options) as klass:
        if options.scheme:
            return _fix(klass, options)
        return known[what](klass, options, words) or 0


def _form(options, words) -> int:
    if len(words) != 1:
        raise CourseError("写明哪份标准：crm class marks form js（可以写 js、sw、kd、wl）")
    folder = Path(options.out or options.course or ".")
    path = school.form(words[0], paths.root(), folder / f"方案-{words[0]}.xlsx")
    print(f"写好 {path}。填好以后：crm class marks --scheme {path.name} --by 姓名")
    return 0


def _fix(klass, options) -> int:
    by, places = klass.need_by(), _whole(options.places or "0", "--places", 0, 2)
    if options.peer not in ("", "between", "within"):
        raise CourseError("--peer 只能是 between（组间）或 within（组内）。")
    path = Path(options.scheme)
    if options.scheme in schemes.PRINTED + schemes.UNPRINTED:
        scheme = schemes.printed(options.scheme, paths.root(), peer=options.peer or "between", places=places)
    else:
        path = path if path.is_absolute() or path.exists() else klass.folder / path
        if path.suffix.lower() not in (".xlsx", ".xlsm", ".toml"):
            raise CourseError(f"没有“{options.scheme}”这个方案。可以写 kd、wl，"
                              f"或者学校填好的方案文件（.xlsx、.toml）。")
        scheme = school.read(path, paths.root(), places)
    settings = {"until": roster.a_day(options.until)} if options.until else {}
    old = klass.state.scheme
    changed = old is not None and (old.version != scheme.version
                                   or any(klass.state.settings.get(k) != v for k, v in settings.items()))
    if old is not None and not changed:
        print(f"方案已经定了，没有变：{old.title}，版本 {old.version}。")
        return _show(klass, options, [])
    if old is not None and not options.new_version:
        first = klass.state.versions[-1]
        raise CourseError(f"方案在 {first.detail['date']} 已经定了：{old.title}，版本 {old.version}。"
                          f"学期中不改。"
                          "一定要改，就加 --new-version --reason 原因：旧版本和改的日期都会印在成绩表上。")
    if old is not None and not options.reason.strip():
        raise CourseError("改方案要写原因：加上 --reason 原因。")
    klass.add(
        [
            Entry(
                "scheme",
                by,
                scheme=scheme.version,
                detail={
                    "scheme": scheme.to_dict(),
                    "date": klass.day,
                    "settings": settings,
                    "reason": options.reason.strip(),
                },
            )
        ]
    )
    print(f"定下来了：{scheme.title}\n版本 {scheme.version}，{klass.day} 起，{by} 定。{scheme.rule()}")
    print("　".join(f"{c.name} {float(c.weight):g}" for c in scheme.components))
    for line in filter(None, (scheme.variant, *scheme.notes)):
        print(f"· {line}")
    return 0


def _whole(text, flag, low, high) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise CourseError(f"{flag} 要写 {low} 到 {high} 的整数，现在是“{text}”。")
    return int(text)


def _show(klass, options, words) -> int:
    state = klass.state
    if state.scheme is None:
        print("还没有定考核方案。开学先定：crm class marks --scheme kd --by 王老师")
        return 0
    from autograder.marks.report import make

    report = make(klass.store, state, klass.today)
    done = sum(m.final is not None for m in report.marks.values())
    print(f"{state.scheme.title}，版本 {state.scheme.version}。{len(report.marks)} 名学生，{done} "
          f"人的总分能定。")
    if not report.marks:
        print("名单还是空的：crm class roster 名单.xlsx")
    for name, why, n in report.waiting()[:15]:
        print(f"· {n} 人　{name}：{why}")
    if report.signals:
        print(f"值得看一眼的有 {len(report.signals)} 处，见 crm class marks report。")
    return 0


def _template(klass, options, words) -> int:
    scheme, out = klass.need_scheme(), klass.out(options, "打分表")
    if not klass.state.present:
        raise CourseError("名单还是空的，打分表里没有人。先导入名单：crm class roster 名单.xlsx")
    wanted = [scheme.component(w) for w in words]
    tables = [(c, k) for c in scheme.components for k, share in c.split.items()
              if share and k in ("teacher", "enterprise") and (not wanted or c in wanted)]
    if not wanted:  # 没有点名：由机器批改和考勤算的，不用老师打分
        fed = {
            key
            for key, plan in klass.state.items.items()
            if any(p["source"] == "machine" for p in plan.values())
        }
        tables = [(c, k) for c, k in tables if (c.id, k) not in fed and not c.attendance]
    if wanted and not tables:
        raise CourseError(f"“{'、'.join(words)}”不由老师或企业评，没有打分表。")
    for c, k in tables:
        item = f"-{options.item}" if options.item else ""
        path = out / f"打分-{c.id}-{c.name.replace('/', '')}-{KINDS[k]}{item}.xlsx"
        if path.exists():
            print(f"已经有了，没有动：{path}")
        else:
            print(f"写好 {templates.mark_book(klass.state, c, k, options.item, path)}")
    if any(c.attendance for c in scheme.components) and not wanted and not (out / "考勤.xlsx").exists():
        print(f"写好 {templates.attendance_book(klass.state, out / '考勤.xlsx')}")
    return 0


def _read(klass, options, words) -> int:
    klass.need_scheme()
    if not words:
        raise CourseError("写明读哪张表：crm class marks read 打分表.xlsx")
    kind = _kind(options.kind) if options.kind else ""
    for name in words:
        new = klass.add(inputs.read_marks(klass.state, Path(name), options.part or None, kind, options.item,
                                          klass.by, klass.day))
        rated, decided = (sum(e.what == what for e in new) for what in ("rating", "decision"))
        print(f"{Path(name).name}：记下 {rated} 个分" + (f"、{decided} 个决定" if decided else "") + "。"
              + ("" if new else "没有新的。"))
    return 0


def _attendance(klass, options, words) -> int:
    klass.need_scheme()
    by = klass.need_by()
    if options.close:
        klass.add([Entry("attendance", by, item="close", scheme=klass.state.scheme.version,
                         detail={"date": klass.day})])
        print(f"考勤到 {klass.day} 结束，出勤分可以算了。")
    elif len(words) != 1:
        raise CourseError("写明考勤表：crm class marks attendance 考勤.xlsx --by 姓名；学期末加 --close "
                          "结束考勤。")
    for name in words:
        new, told = inputs.read_attendance(klass.state, Path(name), by)
        klass.add(new)
        times = sum(e.detail["times"] for e in new if e.what == "attendance")
        print(
            f"{Path(name).name}：新记 {times} 次。"
            + ("扣分表记下了。" if any(e.what == "points" for e in new) else "")
        )
        _tell(told)
    return 0


def _items(klass, options, words) -> int:
    scheme = klass.need_scheme()
    if not words:
        for (component, kind), plan in klass.state.items.items():
            for name, detail in plan.items():
                print(
                    f"{component} {KINDS[kind]}　{name}"
                    + (f"　{detail['due']} 到期" if detail.get("due") else "")
                )
        return 0
    component, names = scheme.component(words[0]), words[1:]
    if not names:
        raise CourseError(f"写明哪些作业算进“{component.name}”：crm class marks items {component.id} 作业 … "
                          f"--due 日期")
    due = roster.a_day(options.due) if options.due else ""
    known = inputs.assignments(klass.store)
    klass.add(inputs.items(klass.state, component, names, due, klass.by or "老师", known))
    print(f"{component.name} = 这些作业得分率的平均：{'、'.join(klass.state.items[component.id, 'teacher'])}")
    return 0


def _pull(klass, options, words) -> int:
    new, told = inputs.pull(klass.store, klass.state, klass.folder)
    klass.add(new)
    print(f"取到 {len(new)} 个新的或变了的分。")
    _tell(told)
    return 0


def _kind(text) -> str:
    kind = {title: k for k, title in KINDS.items()}.get(text, text)
    if kind not in KINDS:
        raise CourseError(f"没有“{text}”这种评价人。可以写：{'、'.join(KINDS)}，或者 "
                          f"{'、'.join(KINDS.values())}。")
    return kind


def _decide(klass, options, words) -> int:
    scheme = klass.need_scheme()
    if len(words) != 3 or words[0] not in inputs.ACTS:
        raise CourseError("写成：crm class marks decide zero|excuse|reweight 学号 分项 --by 姓名 --reason "
                          "原因\n"
                          "zero 确认没有理由没交，计零分；excuse 请假，等补交；reweight 这一项不计，"
                          "权重分给别的项。")
    act, who, component = words[0], roster.find(klass.state, words[1]).id, scheme.component(words[2])
    kind = _kind(options.kind) if options.kind else next(iter(component.split))
    if not options.kind and len(component.split) > 1:
        has = "、".join(f"--kind {k}（{KINDS[k]}）" for k in component.split)
        raise CourseError(f"“{component.name}”有几种评价人，写明是哪一种：{has}")
    before = Facts(klass.state, klass.today).mark(who)
    klass.add(
        [
            inputs.decision(
                klass.state, act, who, component.id, kind, options.item, klass.by, options.reason, klass.day
            )
        ]
    )
    after = Facts(klass.state, klass.today).mark(who)
    places = scheme.places
    print(f"记下了：{who} {component.name} {inputs.ACTS[act]}。总分 {before.shown(places)} → "
          f"{after.shown(places)}\n"
          f"{after.trace()}")
    return 0


def _comment(klass, options, words) -> int:
    if len(words) != 2 or not words[1].strip():
        raise CourseError("写成：crm class marks comment 学号 写给他的话 --by 姓名（企业写的加 --kind 企业）")
    who, kind = roster.find(klass.state, words[0]).id, _kind(options.kind or "teacher")
    if kind not in ("teacher", "enterprise"):
        raise CourseError("评语由教师或企业写：--kind 写 教师 或 企业。")
    klass.add([Entry("comment", klass.need_by(), kind, who, scheme=klass.need_scheme().version,
                     detail={"note": words[1].strip()[:500], "date": klass.day})])
    print(f"记下了，{who} 的成绩单上会印。")
    return 0


def _void(klass, options, words) -> int:
    if len(words) != 1 or not words[0].isdecimal():
        raise CourseError("写明作废第几条：crm class marks void 编号 --by 姓名 --reason 原因（编号看 crm "
                          "class marks log）")
    klass.add([inputs.void(klass.state, int(words[0]), klass.by, options.reason)])
    print(f"第 {words[0]} 条作废了；它还留在记录里。")
    return 0


def _report(klass, options, words) -> int:
    from autograder.marks import pages, workbook
    from autograder.marks.report import make

    klass.need_scheme()
    out = _fresh(klass.out(options, "成绩表"), klass.today)
    report = make(klass.store, klass.state, klass.today, klass.folder, paths.root())
    (out / "全班-给老师.html").write_text(pages.class_page(report), "utf-8", newline="\n")
    workbook.class_book(report, out / "全班-给老师.xlsx")
    wanted = [roster.find(klass.state, w).id for w in words] or list(report.marks)
    for who in wanted:
        if who in report.marks:
            place = out / "学生" / who
            place.mkdir(parents=True)
            (place / f"成绩单-{who}.html").write_text(pages.student_page(report, who), "utf-8", newline="\n")
            workbook.student_book(report, who, place / f"成绩单-{who}.xlsx")
    print(f"写好 {out}：全班一份（给老师），每个学生一份（在“学生”里，只有他自己的）。")
    return 0


def _fresh(folder: Path, day: str) -> Path:
    """A new folder for today's report; earlier ones stay."""
    for number in range(1, 1000):
        place = folder / (day + (f"-{number}" if number > 1 else ""))
        try:
            place.mkdir()
            return place
        except FileExistsError:
            continue
        except OSError as fault:
            raise CourseError(f"写不了 {place}（{fault.strerror}）。") from None
    raise CourseError(f"{folder} 里 {day} 的成绩表已经有 999 份了。")


def _issue(klass, options, words) -> int:
    from autograder.marks.exact import plain, rounded

    scheme, by = klass.need_scheme(), klass.need_by()
    made, waiting = [], 0
    for who, mark in Facts(klass.state, klass.today).marks().items():
        old = klass.state.issued.get(who)
        if mark.final is None:
            waiting += 1
            continue
        raw = plain(mark.final, 6)
        if old is None or old.detail["raw"] != raw:
            made.append(
                Entry(
                    "issue",
                    by,
                    whom=who,
                    mark=rounded(mark.final, scheme.places),
                    scheme=scheme.version,
                    detail={
                        "raw": raw,
                        "rule": scheme.rule(),
                        "date": klass.day,
                        "after": len(klass.state.entries),
                    },
                )
            )
    klass.add(made)
    print(f"定下 {len(made)} 人的总分" + (f"；还有 {waiting} 人有没定的项，没有定。" if waiting else "。"))
    return 0


def _log(klass, options, words) -> int:
    who = roster.find(klass.state, words[0]).id if words else ""
    for e in klass.state.entries:
        if not who or who in (e.whom, e.who):
            gone = (
                f"（已作废，见第 {klass.state.voided[e.seq].seq} 条）"
                if e.seq in klass.state.voided
                else ""
            )
            said = " ".join(filter(None, (e.component, KINDS.get(e.kind, ""), e.item, e.mark)))
            act = inputs.ACTS.get(e.detail.get("act"), "")
            print(f"{e.seq}　{e.at[:16]}　{e.who} → {e.whom or '—'}　{_WHAT.get(e.what, e.what)}{act} {said} "
                  f"{e.detail.get('reason', '')}{gone}".rstrip())
    if klass.broken:
        raise CourseError(_BROKEN.format(klass.broken))
    print(f"一共 {len(klass.state.entries)} 条，和指纹对得上，没有被改过。")
    return 0


_WHAT = {"scheme": "定方案", "points": "扣分表", "student": "名单", "group": "小组", "leave": "退出",
         "item": "算进", "round": "开一轮", "form": "发表", "rating": "评分", "machine": "机器批改",
         "attendance": "考勤", "decision": "决定：", "comment": "评语", "void": "作废", "issue": "定总分"}


def _export(klass, options, words) -> int:
    if len(words) != 1:
        raise CourseError("写明导出到哪里：crm class marks export 成绩册.zip")
    rows, others = store.export(klass.store, Path(words[0]))
    print(f"写好 {words[0]}：成绩册 {rows} 条记录，nbgrader {others} 行。")
    return 0


def _import(klass, options, words) -> int:
    if len(words) != 1:
        raise CourseError("写明从哪里导入：crm class marks import 成绩册.zip")
    rows, others = store.restore(klass.store, Path(words[0]))
    print(f"读进来了：成绩册 {rows} 条记录，nbgrader {others} 行。")
    return 0


def _tell(lines) -> None:
    for line in lines:
        print(f"[注意] {line}")


# ---- roster ----

def roster_main(argv) -> int:
    """名单和小组：读学校导出的表，换组，退课"""
    options = _parser("roster", ROSTER, "--width", "--class").parse_args(argv)
    if options.help:
        print(ROSTER)
        return 0
    words = options.words
    if words[:1] == ["template"]:
        path = Path(options.out or options.course or ".") / "名单.xlsx"
        roster.template(path)
        print(f"写好 {path}")
        return 0
    with _Class(options) as klass:
        by = klass.by or "老师"
        if not words:
            return _show_roster(klass.state)
        if words[0] == "move":
            if len(words) != 3:
                raise CourseError("写成：crm class roster move 学号 小组 --date 日期")
            klass.add(roster.moved(klass.state, words[1], words[2], klass.day, by))
            print(
                f"{words[1]} 从 {klass.day} 起在“{words[2]}”。发过的互评用 crm class peers repair 轮次 补。"
            )
            return 0
        if words[0] == "leave":
            if len(words) != 2 or not options.reason.strip():
                raise CourseError("写成：crm class roster leave 学号 --reason 原因 --by 姓名")
            klass.add(roster.gone(klass.state, words[1], klass.day, options.reason.strip(), by))
            print(f"{words[1]} 从 {klass.day} 起退出；他的记录都还在。发过的互评用 crm class peers repair "
                  f"轮次 补。")
            return 0
        if len(words) != 1:
            raise CourseError(f"一次读一张名单。用法：\n{ROSTER}")
        width = _whole(options.width, "--width", 1, 32) if options.width else 0
        listed = roster.read(Path(words[0]), klass.state.students, width, getattr(options, "class"))
        missing = roster.absent(klass.state, listed)
        new = klass.add(roster.changes(klass.state, listed, klass.day, by))
        roster.tell_nbgrader(klass.store, klass.state)
        students, groups = (sum(e.what == what for e in new) for what in ("student", "group"))
        print(
            f"{Path(words[0]).name}：{len(listed)} 名学生；新来或改了 {students} 人，分组变了 {groups} 人。"
        )
        if missing:
            _tell([f"名单库里有、这张表里没有：{'、'.join(f'{s.id} {s.name}' for s in missing[:10])}"
                   f"{'……' if len(missing) > 10 else ''}。没有删；退课用 crm class roster leave 学号。"])
    return 0


def _show_roster(state: State) -> int:
    if not state.students:
        print("名单还是空的：crm class roster 名单.xlsx")
        return 0
    for s in sorted(state.students.values(), key=lambda s: s.id):
        left = f"　{s.left} 退出" if s.left else ""
        print(f"{s.id}　{s.name}　{s.klass}　{s.group() or '（没有小组）'}{left}")
    groups = "、".join(f"{g} {len(ids)} 人" for g, ids in state.groups().items())
    print(f"在读 {len(state.present)} 人。" + (f"小组：{groups}" if groups else "还没有分组。"))
    return 0


# ---- peers ----

def peers_main(argv) -> int:
    """自评和互评：分派，给每个学生写一份表，读回来"""
    options = _parser("peers", PEERS, "--due", "--kinds", "--each", "--seed", "--title").parse_args(argv)
    if options.help:
        print(PEERS)
        return 0
    what, *words = options.words or ["show"]
    if what not in ("show", "new", "repair", "read"):
        raise CourseError(f"没有“{what}”这个做法。用法：\n{PEERS}")
    with _Class(options) as klass:
        klass.need_scheme()
        by = klass.by or "老师"
        if what == "show":
            return _show_rounds(klass.state)
        if what == "read":
            folder = Path(words[0]) if words else klass.folder / "submitted"
            new, told = peers.read_back(klass.state, folder)
            klass.add(new)
            print(f"记下 {len(new)} 个分，来自 {len({e.who for e in new})} 名学生。")
            _tell(told)
            return 0
        if len(words) != 1:
            raise CourseError(f"写明哪一轮：crm class peers {what} 期末")
        if what == "new":
            kinds = [_kind(k.strip()) for k in options.kinds.replace("，", ",").split(",") if k.strip()]
            due = roster.a_day(options.due) if options.due else ""
            each = _whole(options.each or "3", "--each", 1, 20)
            new, told = peers.new_round(
                klass.state,
                words[0],
                kinds=kinds,
                each=each,
                due=due,
                seed=options.seed,
                day=klass.day,
                by=by,
                title=options.title,
            )
        else:
            new, told = peers.repair(klass.state, words[0], klass.day, by)
        forms = [e for e in klass.add(new) if e.what == "form"]
        out = klass.out(options, "peers")
        for form in klass.state.forms.values():  # 上次没有写完的也补上
            if form.item == words[0] and not klass.state.students[form.whom].left:
                peers.write(klass.state, form, out)
        print(f"“{words[0]}”：{len(forms)} 份表，在 {out}，每个学号一个文件夹，发给他本人。"
              if forms else f"“{words[0]}”：没有要补的表。")
        if what == "new":
            print(
                f"分派的暗号是 {klass.state.rounds[words[0]]['seed']}：同一份名单、同一个暗号，分派得一样。"
            )
        _tell(told)
    return 0


def _show_rounds(state: State) -> int:
    if not state.rounds:
        print("还没有发过自评、互评的表：crm class peers new 期末 --due 日期")
    for name, detail in state.rounds.items():
        owners = {e.whom for e in state.forms.values() if e.item == name and not state.students[e.whom].left}
        done = {rater for (_, _, item), whom in state.ratings.items() if item == name
                for given in whom.values() for rater in given}
        left = [f"{i} {state.students[i].name}" for i in sorted(owners - done)]
        print(f"“{name}”{'　' + detail['due'] + ' 到期' if detail.get('due') else ''}：发 {len(owners)} 人，"
              f"交 {len(owners & done)} 人。" + (f"没交：{'、'.join(left[:15])}"
                                                 f"{'……' if len(left) > 15 else ''}"
                                              if left else ""))
    return 0
