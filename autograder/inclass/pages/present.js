// 投影窗口：一步一步显示课文的演示格子。控件是 anywidget：它们的脚本由内核送来，在这里直接运行。

const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

// ---- 控件 ----

const models = new Map();
const modules = new Map(); // 同一种控件的脚本只装一次
const styled = new Set();

/** 内核里一个控件的模型，在这一边的样子；方法和 anywidget 说明里的一样。 */
class Model {
  constructor(id, state) {
    this.id = id;
    this.state = revive(state);
    this.dirty = {};
    this.heard = new Map();
  }
  get(name) { return this.state[name]; }
  set(name, value) {
    const changes = typeof name === "string" ? { [name]: value } : name;
    Object.assign(this.dirty, changes);
    this.take(changes);
  }
  /** 记下变化，告诉听着的人。 */
  take(changes) {
    const changed = Object.keys(changes).filter((k) => JSON.stringify(this.state[k]) !== JSON.stringify(changes[k]));
    Object.assign(this.state, revive(changes));
    for (const name of changed) this.trigger(`change:${name}`, this, this.state[name]);
    if (changed.length) this.trigger("change", this);
  }
  save_changes() {
    if (Object.keys(this.dirty).length) tell({ do: "update", model: this.id, state: this.dirty });
    this.dirty = {};
  }
  send(content) { tell({ do: "custom", model: this.id, content }); }
  on(names, hear) {
    for (const name of names.split(/\s+/)) this.heard.set(name, [...(this.heard.get(name) || []), hear]);
  }
  off(names, hear) {
    if (!names) return this.heard.clear();
    for (const name of names.split(/\s+/)) {
      this.heard.set(name, hear ? (this.heard.get(name) || []).filter((f) => f !== hear) : []);
    }
  }
  trigger(name, ...said) {
    for (const hear of this.heard.get(name) || []) hear(...said);
  }
}

/** 二进制的部分变回 DataView。 */
function revive(value) {
  if (Array.isArray(value)) return value.map(revive);
  if (!value || typeof value !== "object") return value;
  if (typeof value["crm-base64"] === "string") {
    const bytes = Uint8Array.from(atob(value["crm-base64"]), (c) => c.charCodeAt(0));
    return new DataView(bytes.buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
}

function load(source) {
  if (!modules.has(source)) {
    modules.set(source, import(URL.createObjectURL(new Blob([source], { type: "text/javascript" }))));
  }
  return modules.get(source);
}

async function showWidget(id, node) {
  const model = models.get(id);
  const source = model?.get("_esm");
  if (!source) {
    node.append(make("div", { className: "broken", textContent: "这个控件在投影页里显示不了。运行 crm lab，在课文里演示它。" }));
    return;
  }
  const css = model.get("_css");
  if (css && !styled.has(css)) {
    styled.add(css);
    document.head.append(make("style", { textContent: css }));
  }
  try {
    let widget = (await load(source)).default;
    if (typeof widget === "function") widget = await widget();
    const experimental = { invoke: () => Promise.reject(new Error("投影页里没有 invoke")) };
    await widget.initialize?.({ model, experimental });
    await widget.render?.({ model, el: node, experimental });
  } catch (fault) {
    node.append(make("div", { className: "broken", textContent: `这个控件没有显示出来：${fault.message}` }));
    console.error(fault);
  }
}

// ---- 输出 ----

const places = new Map(); // 格子 → {node, state, shown: Map(uid → {version, node})}

function takeCell({ place, state, outputs }) {
  if (!places.has(place)) places.set(place, { node: make("div", { className: "shown" }), shown: new Map() });
  const cell = places.get(place);
  const fresh = new Map();
  for (const output of outputs) {
    const old = cell.shown.get(output.uid);
    fresh.set(output.uid, old?.version === output.version ? old : { version: output.version, node: draw(output) });
  }
  const nodes = [...fresh.values()].map((o) => o.node);
  if (state === "waiting" || (state === "running" && !nodes.length)) {
    if (!nodes.length && cell.shown.size) return; // 重新运行：旧的先留着，免得闪
    nodes.push(make("div", { className: "wait", textContent: "正在准备这一步…" }));
  }
  cell.shown = fresh;
  // 没有变的不动：挪一下，控件就丢了焦点
  nodes.forEach((node, at) => cell.node.children[at] !== node && cell.node.insertBefore(node, cell.node.children[at] || null));
  while (cell.node.children.length > nodes.length) cell.node.lastChild.remove();
  below();
}

function draw(output) {
  if (output.kind === "stream") return make("pre", { textContent: output.text });
  if (output.kind === "error") return make("div", { className: "broken", textContent: "这一步没有运行成。老师窗口里写着原因。" });
  const [mime, content] = Object.entries(output.data)[0] || [];
  const node = make("div", { className: "plain" });
  if (mime === "application/vnd.jupyter.widget-view+json") {
    node.className = "widget";
    void showWidget(content.model_id, node);
  } else if (mime === "text/html" || mime === "image/svg+xml") {
    node.innerHTML = content;
    // 日期、数这些短的格子不拆成两行
    for (const cell of node.querySelectorAll("td, th")) cell.classList.toggle("short", cell.textContent.trim().length <= 12);
  } else if (mime?.startsWith("image/")) node.append(make("img", { src: `data:${mime};base64,${content}`, alt: "图" }));
  else if (content) node.append(make("pre", { textContent: content }));
  return node;
}

// ---- 页面 ----

const kicker = make("div", { className: "kicker" });
const lead = make("div", { className: "lead crm-look" });
const work = make("div");
const stage = make("main", { className: "stage" }, kicker, lead, work);
const notice = make("div", { className: "notice", hidden: true });
const black = make("div", { className: "black", hidden: true, title: "按 B 回来" });
const button = (label, title, act, main) => make("button", { type: "button", textContent: label, title, className: main ? "main" : "", onclick: (e) => { act(); e.currentTarget.blur(); } });
const back = button("◀ 上一步", "← 或 PageUp", () => go(at - 1));
const next = button("下一步 ▶", "→、PageDown 或空格", () => go(at + 1), true);
const place = make("span", { className: "place" });
const progress = make("progress", { max: 1 });
const under = make("span", { className: "below", textContent: "▼ 下面还有", hidden: true });
document.body.append(stage, make("nav", { className: "bar" }, back, next, place, progress, under, make("span", { className: "fill" }),
  button("再来一遍", "重新运行这一步（R）", () => tell({ do: "again" })),
  button("A−", "字小一点（-）", () => zoom(-0.1)), button("A+", "字大一点（+）", () => zoom(0.1)),
  button("深浅", "深色、浅色（N）", night), button("黑屏", "按 B 变黑、变回来", () => tell({ do: "dark", dark: true })),
  button("全屏", "F", full)), notice, black);

let steps = [];
let at = 0;
let size = Number(localStorage.getItem("crm-zoom")) || 1;
let broken = "";
let lost = false;

const go = (to) => { if (to >= 0 && to < steps.length && to !== at) tell({ do: "go", at: to }); };

function show() {
  const step = steps[at];
  kicker.textContent = step.kicker;
  lead.innerHTML = step.lead;
  for (const cell of step.cells) if (!places.has(cell)) takeCell({ place: cell, state: "waiting", outputs: [] });
  work.replaceChildren(...step.cells.map((cell) => places.get(cell).node));
  place.textContent = `${at + 1} / ${steps.length}　${step.title}`;
  progress.max = steps.length;
  progress.value = at + 1;
  back.disabled = at === 0;
  next.disabled = at === steps.length - 1;
  document.documentElement.dataset.step = at + 1;
  scrollTo(0, 0);
  below();
}
function below() {
  requestAnimationFrame(() => { under.hidden = innerHeight + scrollY > document.documentElement.scrollHeight - 30; });
}
function zoom(by) {
  size = Math.min(2, Math.max(0.6, size + by));
  document.documentElement.style.setProperty("--zoom", size);
  localStorage.setItem("crm-zoom", size);
  below();
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
function warn() {
  notice.textContent = lost ? "和黑窗口断开了，正在重新连接…黑窗口关了的话，重新运行 crm present。" : broken;
  notice.hidden = !notice.textContent;
}

const tell = link("/ws/screen", (said) => {
  if (said.do === "all") {
    models.clear();
    places.clear();
    ({ steps, at, fault: broken } = said);
    document.title = said.title;
    for (const [id, state] of Object.entries(said.models)) models.set(id, new Model(id, state));
    said.cells.forEach(takeCell);
    black.hidden = !said.dark;
    show();
    warn();
  } else if (said.do === "go") {
    at = said.at;
    show();
  } else if (said.do === "cell") takeCell(said);
  else if (said.do === "open") models.set(said.model, new Model(said.model, said.state));
  else if (said.do === "update") models.get(said.model)?.take(said.state);
  else if (said.do === "custom") models.get(said.model)?.trigger("msg:custom", said.content, []);
  else if (said.do === "close") models.delete(said.model);
  else if (said.do === "dark") black.hidden = !said.dark;
  else if (said.do === "fault") { broken = said.fault; warn(); }
}, (linked) => { lost = !linked; warn(); });

// ---- 键盘和翻页笔 ----

/** 下面还有没看见的，先往下滚；都看完了，才到下一步。翻页笔一直按同一个键就行。 */
function onward() {
  const top = work.getBoundingClientRect().top;
  if (!under.hidden) scrollBy({ top: top > innerHeight * 0.15 && top < innerHeight ? top - 8 : innerHeight * 0.75 }); // 先让题目到顶上
  else go(at + 1);
}
function backward() {
  if (scrollY > 10) scrollBy({ top: -innerHeight * 0.75 });
  else go(at - 1);
}
// 翻页笔发的是 PageDown、PageUp：焦点在哪里都管用
addEventListener("keydown", (e) => {
  if (e.key !== "PageDown" && e.key !== "PageUp") return;
  e.preventDefault();
  e.stopPropagation();
  if (black.hidden) (e.key === "PageDown" ? onward : backward)();
  else tell({ do: "dark", dark: false });
}, true);
// 别的键：焦点在控件里时归控件
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented || e.target.closest("input, textarea, select, [contenteditable]")) return;
  if (!black.hidden) { e.preventDefault(); return tell({ do: "dark", dark: false }); }
  const act = {
    ArrowRight: () => go(at + 1), ArrowLeft: () => go(at - 1), ArrowDown: null, " ": onward, Home: () => go(0),
    End: () => go(steps.length - 1), b: () => tell({ do: "dark", dark: true }), ".": () => tell({ do: "dark", dark: true }),
    r: () => tell({ do: "again" }), "+": () => zoom(0.1), "=": () => zoom(0.1), "-": () => zoom(-0.1), n: night, f: full,
  }[e.key.length === 1 ? e.key.toLowerCase() : e.key];
  if (!act || (e.key === " " && e.target.closest("button"))) return;
  e.preventDefault();
  act();
});
black.addEventListener("click", () => tell({ do: "dark", dark: false }));
addEventListener("scroll", below, { passive: true });
addEventListener("resize", below);
document.body.dataset.jpThemeLight = localStorage.getItem("crm-light") !== "false";
zoom(0);
