// 投票的投影：等人加入，问一题，图随着答案长。这台电脑上打开过老师窗口，下面就有老师的按钮。

const stage = make("main.stage");
const bar = make("nav.bar");
const notice = make(".notice", { hidden: true });
document.body.append(stage, bar, notice);
let now = null;
let size = Number(localStorage.getItem("crm-zoom")) || 1;

async function act(said) {
  const answer = await fetch("/do", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(said) });
  if (!answer.ok) {
    notice.textContent = (await answer.json().catch(() => ({}))).said || "没有成功，再试一次。";
    notice.hidden = false;
    setTimeout(() => { notice.hidden = true; }, 4000);
  }
}
const at = () => now.questions.findIndex((q) => q.id === now.current);
const go = (to) => to >= -1 && to < now.questions.length && act({ do: "go", question: to < 0 ? null : now.questions[to].id });
const item = () => now.questions[at()];
const acts = {
  next: () => go(at() + 1), back: () => go(at() - 1),
  open: () => item() && act({ do: "open", on: !item().open }),
  reveal: () => now.question?.keyed && act({ do: "reveal", on: !item().revealed }),
  results: () => act({ do: "results", on: !now.results }),
  lobby: () => act({ do: "go", question: null }),
};

function lobby() {
  return make(".lobby", {}, make(".qr", { html: now.qr }), make("div", {}, make("h1", {}, `${now.unit} ${now.title}`),
    make("div", {}, "手机扫码，或者打开"), make(".address", {}, now.address), make("div", {}, "房间号"), make(".code", {}, now.code),
    make("p", {}, `${now.joined} 人加入，${now.linked} 台手机连着`),
    make("p.legend", {}, now.local ? "现在只有这台电脑能打开。要让手机加入，用 crm live --host 重新打开。"
      : "手机要连上课用的 Wi-Fi。不用写姓名；只记答案和随机编号，存在老师的电脑里，手机上随时可以删。")));
}
function asking() {
  const q = now.question;
  const my = item();
  return make(".asking", {}, make("div", {}, make("h1", {}, q.title), make(".prompt", { html: q.prompt_html }),
    now.right !== null ? make(".right-share", {}, `全对 ${Math.round(100 * now.right)}%`) : null,
    now.drawn ? draw(now.drawn) : make(".curtain", {}, "先各想各的，一会儿一起看结果。"),
    q.explain_html ? make(".prompt.explain", { html: q.explain_html }) : null),
  make("aside.side", {}, make(".answered", {}, String(now.answered)), make("div", {}, `人答了，${now.linked} 台连着`),
    make(".status", { "data-open": String(my.open) }, my.open ? "正在作答" : "停止作答"),
    make(".qr", { html: now.qr }), make(".code", {}, now.code)));
}
function controls() {
  const my = item();
  const button = (label, key, what, props = {}) => make("button", { type: "button", title: key, onclick: what, ...props }, label);
  const place = make("span.place", {}, my ? `${at() + 1} / ${now.questions.length}` : `等待加入　${now.questions.length} 题`);
  const own = now.controls ? [
    button("◀", "←、PageUp", acts.back, { disabled: at() < 0 }), button(at() < 0 ? "开始 ▶" : "下一题 ▶", "→、PageDown", acts.next, { class: "main", disabled: at() === now.questions.length - 1 }),
    place,
    my ? button(my.open ? "停止作答" : "再开放", "空格", acts.open) : null,
    my && now.question.keyed ? button(my.revealed ? "收起答案" : "看答案", "A", acts.reveal) : null,
    button(now.results ? "先不看结果" : "看结果", "H", acts.results), my ? button("二维码", "Q", acts.lobby) : null,
  ] : [place];
  return [...own, make("span.fill"), button("A−", "-", () => zoom(-0.1)), button("A+", "+", () => zoom(0.1)), button("深浅", "N", night), button("全屏", "F", full)];
}
const parts = slots(["bar", "stage"]);
bar.append(parts.nodes.bar);
parts.nodes.bar.className = "bar-inside";
stage.append(parts.nodes.stage);
function show() {
  document.title = `投票：${now.title}`;
  parts.put("stage", { ...now, ends: 0 }, () => (now.question ? asking() : lobby()));
  parts.put("bar", [now.current, item()?.open, item()?.revealed, now.results, now.controls], controls);
}
function zoom(by) {
  size = Math.min(2, Math.max(0.6, size + by));
  document.documentElement.style.setProperty("--zoom", size);
  localStorage.setItem("crm-zoom", size);
}
function night() {
  const light = document.body.dataset.jpThemeLight !== "true";
  document.body.dataset.jpThemeLight = light;
  localStorage.setItem("crm-light", light);
}
function full() {
  if (document.fullscreenElement) document.exitFullscreen();
  else void document.documentElement.requestFullscreen?.();
}
let over = false;
link("/ws/screen", (said) => {
  if (said.do === "over") {
    over = true;
    stage.replaceChildren(make(".curtain", {}, "投票结束了。"));
    bar.replaceChildren();
    return;
  }
  now = said;
  show();
}, (up) => {
  notice.textContent = "和黑窗口断开了，正在重新连接…黑窗口关了的话，重新运行 crm live，已经交的答案都在。";
  notice.hidden = up || over;
});
addEventListener("keydown", (e) => {
  if (!now || over || e.ctrlKey || e.metaKey || e.altKey) return;
  const view = { "+": () => zoom(0.1), "=": () => zoom(0.1), "-": () => zoom(-0.1), n: night, f: full };
  const teach = { ArrowRight: acts.next, PageDown: acts.next, ArrowLeft: acts.back, PageUp: acts.back, " ": acts.open, a: acts.reveal, h: acts.results, q: acts.lobby };
  const key = e.key.length === 1 ? e.key.toLowerCase() : e.key;
  const run = view[key] || (now.controls && teach[key]);
  if (!run || (key === " " && e.target.closest("button"))) return;
  e.preventDefault();
  run();
});
document.body.dataset.jpThemeLight = localStorage.getItem("crm-light") !== "false";
zoom(0);
