// 老师窗口：现在讲到哪一步、下一步是什么、答案和常见的错、分钟安排、演示脚本、计时。不投影。

const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((c) => c !== null));
  return node;
};
const button = (label, act, main = false) => make("button", { type: "button", textContent: label, className: main ? "main" : "", onclick: act });
const panel = (title, ...children) => make("section", { className: "panel" }, title ? make("h2", { textContent: title }) : null, ...children);

let show = null;
let linked = false;
const now = make("div", { className: "big" });
const where = make("div", { className: "quiet" });
const nextUp = make("div", { className: "quiet" });
const list = make("ol", { className: "stepslist" });
const expected = make("div", { className: "crm-look" });
const faults = make("div", { className: "faults" });
const trouble = make("div", { className: "notice", hidden: true });
const clock = make("div", { className: "clock" });
const minutes = make("div");
const rest = make("div");
const darkButton = button("黑屏", () => tell({ do: "dark", dark: !show.dark }));
const startButton = button("开始计时", () => time(clockState.since ? "pause" : "start"), true);

const nowPanel = panel("", where, now, nextUp, make("div", { className: "buttons" },
  button("◀ 上一步", () => go(show.at - 1)), button("下一步 ▶", () => go(show.at + 1), true), darkButton,
  button("再来一遍", () => tell({ do: "again" })),
  button("重新运行这一课", () => confirm("内核重新启动，选过的答案都还在。继续？") && tell({ do: "restart" }))), faults);
nowPanel.classList.add("now");
document.body.append(make("main", { className: "coach" },
  make("div", {}, nowPanel, panel("计时（一课时 45 分钟）", clock, make("div", { className: "buttons" }, startButton, button("归零", () => time("reset")))),
    panel("所有步骤", list)),
  make("div", {}, panel("这一步的答案（学生看不到）", expected), panel("", minutes), rest)), trouble);

const go = (to) => tell({ do: "go", at: to });

function render() {
  const step = show.steps[show.at];
  const following = show.steps[show.at + 1];
  document.title = `老师：${show.title}`;
  where.textContent = `第 ${show.at + 1} 步，一共 ${show.steps.length} 步${step.kicker ? `　${step.kicker}` : ""}`;
  now.textContent = step.title;
  nextUp.textContent = following ? `下一步：${following.title}` : "这是最后一步。";
  darkButton.textContent = show.dark ? "恢复画面" : "黑屏";
  expected.innerHTML = show.expected[show.at] || "<p>这一步没有题目。看演示脚本。</p>";
  list.replaceChildren(...show.steps.map((s, i) => {
    const item = button(`${i + 1}. ${s.title}`, () => go(i));
    if (i === show.at) item.setAttribute("aria-current", "step");
    return make("li", {}, item);
  }));
  list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  for (const row of rest.querySelectorAll("tr")) row.toggleAttribute("data-now", about(row, show.code[show.at]));
  faults.replaceChildren(...show.faults.map((f) => make("div", { textContent: f })));
}

/** 演示脚本的这一行是不是在说这一步：第二列有连着三个字，在这一格里也有（“权重板”“柴油跌 20%”）。 */
function about(row, code) {
  const said = row.closest("details")?.querySelector("summary").textContent === "投影演示脚本" && row.cells[1]?.textContent;
  return Boolean(said) && [...said].some((_, i) => /^[\p{L}\p{N}]{3}$/u.test(said.slice(i, i + 3)) && code.includes(said.slice(i, i + 3)));
}

// ---- 分钟安排：按课时分开，现在这一行亮着 ----

let periods = [];
let period = 0;
function readPlan() {
  const [first, ...others] = show.plan.first;
  periods = [];
  if (first) {
    const box = make("div");
    box.innerHTML = first.html;
    for (const node of [...box.children]) {
      if (/^H[1-6]$/.test(node.tagName)) periods.push({ title: node.textContent, nodes: [] });
      else {
        if (!periods.length) periods.push({ title: "这一课", nodes: [] });
        periods.at(-1).nodes.push(node);
      }
    }
  }
  const folded = (s, open) => {
    const box = make("div");
    box.innerHTML = s.html;
    const details = make("details", { open }, make("summary", { textContent: s.title }), box);
    return panel("", details);
  };
  rest.replaceChildren(...others.map((s) => folded(s, true)), ...show.plan.more.map((s) => folded(s, false)));
  if (!show.plan.first.length && !show.plan.more.length) rest.replaceChildren(panel("", "这个单元没有教案（teach.md）。"));
  drawPlan();
}
function drawPlan() {
  minutes.replaceChildren(make("h2", { textContent: "分钟安排" }), make("div", { className: "tabs" }, ...periods.map((p, i) => {
    const tab = button(p.title, () => { period = i; drawPlan(); });
    tab.setAttribute("aria-pressed", i === period);
    return tab;
  })), ...(periods[period]?.nodes || []));
  minutes.parentNode.hidden = !periods.length;
  tick();
}

// ---- 计时：刷新也不丢 ----

let clockState = { since: 0, passed: 0 };
try { clockState = JSON.parse(sessionStorage.getItem("crm-clock")) || clockState; } catch { /* 没有就从零开始 */ }
const passed = () => clockState.passed + (clockState.since ? Date.now() - clockState.since : 0);
function time(what) {
  if (what === "reset") clockState = { since: 0, passed: 0 };
  else clockState = { since: what === "start" ? Date.now() : 0, passed: passed() };
  sessionStorage.setItem("crm-clock", JSON.stringify(clockState));
  tick();
}
function tick() {
  const seconds = Math.floor(passed() / 1000);
  clock.textContent = `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
  clock.toggleAttribute("data-late", seconds >= 45 * 60);
  startButton.textContent = clockState.since ? "暂停" : passed() ? "接着计时" : "开始计时";
  for (const row of minutes.querySelectorAll("tr")) {
    const range = row.cells[0]?.textContent.match(/^\s*(\d+)\s*[—–\-~～至到]\s*(\d+)/);
    const on = range && passed() > 0 && seconds >= range[1] * 60 && seconds < range[2] * 60;
    row.toggleAttribute("data-now", Boolean(on));
  }
}
setInterval(tick, 500);

function warn() {
  trouble.textContent = linked ? show?.fault || "" : "和黑窗口断开了，正在重新连接…";
  trouble.hidden = !trouble.textContent;
}
const tell = link("/ws/teacher", (said) => {
  if (said.do === "all") {
    const first = !show;
    show = said;
    if (first) readPlan();
    render();
  } else if (show) {
    if (said.do === "go") show.at = said.at;
    else if (said.do === "dark") show.dark = said.dark;
    else if (said.do === "fault") show.fault = said.fault;
    else if (said.do === "faults") show.faults = said.faults;
    render();
  }
  warn();
}, (up) => { linked = up; warn(); });

addEventListener("keydown", (e) => {
  if (!show || e.target.closest("input, textarea")) return;
  const to = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[e.key];
  if (!to) return;
  e.preventDefault();
  go(show.at + to);
});
