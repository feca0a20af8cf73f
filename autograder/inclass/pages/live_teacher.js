// 老师窗口：哪一题、停和开、看答案、收起一条文字、导出、结束、删除。只有这台电脑打得开。

const coach = make("main.coach");
const notice = make(".notice", { hidden: true, role: "alert" });
document.body.append(coach, notice);
let now = null;
let over = false;

function warn(text) {
  notice.textContent = text;
  notice.hidden = !text;
}
async function act(said) {
  const answer = await fetch("/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) }).catch(() => null);
  warn(answer?.ok ? "" : (await answer?.json().catch(() => null))?.said || "没有成功，再试一次。");
}
const button = (label, what, style = "") => make(`button${style ? `.${style}` : ""}`, { type: "button", onclick: what }, label);
const go = (id) => act({ do: "go", question: id });

const parts = slots(["where", "counts", "buttons", "join", "list", "result", "files", "close"]);
const { nodes } = parts;
const panel = (...children) => make("section.panel", {}, children);
coach.append(make("div", {}, make("section.panel.now", {}, nodes.where, nodes.counts, nodes.buttons), panel(nodes.join), panel(make("h2", {}, "所有题目"), nodes.list)),
  make("div", {}, panel(nodes.result, nodes.files), panel(make("h2", {}, "下课"), nodes.close)));

function show() {
  const at = now.questions.findIndex((q) => q.id === now.current);
  const my = now.questions[at];
  const next = now.questions[at + 1];
  const left = Math.max(0, Math.round((now.ends * 1000 - Date.now()) / 60000));
  parts.put("where", [at, my?.title], () => [make(".quiet", {}, my ? `第 ${at + 1} 题，一共 ${now.questions.length} 题` : "还没有开始"),
    make(".big", {}, my ? my.title : "等学生加入")]);
  parts.put("counts", [my?.open, now.answered, now.joined, now.linked], () => make("div", {},
    my ? `${my.open ? "正在作答" : "停止作答"}：${now.answered} 人答了，` : "", `${now.joined} 人加入，${now.linked} 台手机连着`));
  parts.put("buttons", [at, my?.open, my?.revealed, now.results, now.names], () => [make(".buttons", {},
    button("打开投影", () => open("/screen", "crm-screen"), at < 0 ? "main" : ""),
    next ? button(at < 0 ? "开始第 1 题 ▶" : "下一题 ▶", () => go(next.id), "main") : null,
    at > 0 ? button("◀ 上一题", () => go(now.questions[at - 1].id)) : null,
    my ? button(my.open ? "停止作答" : "再开放", () => act({ do: "open", on: !my.open })) : null,
    my && now.question.keyed ? button(my.revealed ? "收起答案" : "看答案（就不能再改）", () => act({ do: "reveal", on: !my.revealed })) : null,
    my ? button("回到二维码", () => go(null)) : null),
  make(".buttons", {}, button(now.results ? "投影先不看结果" : "投影显示结果", () => act({ do: "results", on: !now.results })),
    button(now.names ? "隐藏代号" : "显示代号", () => act({ do: "names", on: !now.names })))]);
  parts.put("join", [now.address, now.code], () => [make("h2", {}, "手机怎么加入"), make(".qr", { html: now.qr }), make(".address", {}, now.address),
    make("div", {}, `房间号 ${now.code}`), make("p.quiet", {}, now.local ? "现在只有这台电脑能打开。关掉，用 crm live 单元 --host 地址 重新打开；黑窗口里列着可以用的地址。"
      : "手机打不开？先看手机是不是连着同一个 Wi-Fi；再看教师手册“手机连不上我的电脑”。")]);
  const scroll = nodes.list.firstChild?.scrollTop ?? 0;
  parts.put("list", [now.questions, now.current], () => make("ol.stepslist", {}, now.questions.map((q, i) => make("li", {},
    make("button", { type: "button", onclick: () => go(q.id), "aria-current": q.id === now.current ? "step" : null }, `${i + 1}. ${q.title}`,
      make("span.quiet", {}, `　${q.n ? `${q.n} 人` : ""}${q.open ? " · 正在作答" : ""}`))))));
  if (nodes.list.firstChild) nodes.list.firstChild.scrollTop = scroll;
  parts.put("result", [now.drawn, my?.title], () => [make("h2", {}, my ? `现在的结果：${my.title}` : "结果"),
    now.drawn ? draw(now.drawn, (t) => act({ do: "hide", device: t.device, on: !t.hidden })) : make("p.quiet", {}, "开始一题，这里就有结果。")]);
  parts.put("files", [my?.id, Boolean(now.answered)], () => my ? [make(".links", {}, make("a", { href: `/results/${my.id}.csv` }, "表格（.csv，WPS 能开）"),
    make("a", { href: `/results/${my.id}.json` }, "给学生的数据（.json，放在课文旁边）")), make("p.quiet", {}, `在笔记里读：crm.live_results("${my.id}")`),
  now.answered ? make(".buttons", {}, button("清空这一题", () => confirm("删掉全班这一题的答案，重新来过？") && act({ do: "clear" }), "danger")) : null] : []);
  parts.put("close", [left], () => [make("p", {}, `还有 ${left} 分钟自己关。`), make(".buttons", {}, button("延长 45 分钟", () => act({ do: "extend" })),
    button("结束", () => confirm("结束投票？答案留在这台电脑里。") && act({ do: "finish" })),
    button("结束，并删除全部数据", () => confirm("删掉这一次投票的全部答案？删了找不回来。") && act({ do: "erase" }), "danger")),
  make("p.quiet", {}, "答案存在课程文件夹的 inclass/live 里。用完就删：《个人信息保护法》第四十七条，目的达到了，就应当删除。")]);
}
setInterval(() => now && !over && show(), 20000); // 还有几分钟
link("/ws/teacher", (said) => {
  if (said.do === "over") {
    over = true;
    coach.replaceChildren(make("section.panel", {}, said.erased ? "投票结束，数据都删了。" : "投票结束了。答案留在课程文件夹的 inclass/live 里。"));
    return;
  }
  now = said;
  document.title = `老师：投票 ${now.unit}`;
  show();
}, (up) => !over && warn(up ? "" : "和黑窗口断开了，正在重新连接…黑窗口关了的话，重新运行 crm live，已经交的答案都在。"));
