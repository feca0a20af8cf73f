// 投影上的图：条、四象限、格子、次序、分布、词表、问卷。数由 Python 数好，这里只画。

function make(name, props = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag || "div");
  node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "html") node.innerHTML = value; // 只用于 Python 已经转义过的题目
    else if (key === "style") node.style.cssText = value;
    else if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(2).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}
const percent = (n, of) => (of ? `${Math.round((100 * n) / of)}%` : "");
const short = (x) => (Number.isInteger(x) ? String(x) : x.toFixed(2).replace(/\.?0+$/, ""));

/** 一块一块地更新：没有变的块不动，按钮正被按着、焦点在里面时也不会换掉。 */
function slots(names) {
  const nodes = Object.fromEntries(names.map((name) => [name, make("div")]));
  const seen = {};
  const waiting = new Map();
  let held = false;
  addEventListener("pointerdown", () => { held = true; }, true);
  for (const type of ["pointerup", "pointercancel"]) {
    addEventListener(type, () => setTimeout(() => {
      held = false;
      for (const [name, build] of waiting) nodes[name].replaceChildren(...[build()].flat().filter(Boolean));
      waiting.clear();
    }), true);
  }
  return { nodes, put(name, inputs, build) {
    const now = JSON.stringify(inputs);
    if (seen[name] === now) return;
    seen[name] = now;
    if (held) waiting.set(name, build);
    else nodes[name].replaceChildren(...[build()].flat().filter(Boolean));
  } };
}

function drawBars(rows, of) {
  const most = Math.max(1, ...rows.map((r) => r.n));
  return make(".bars", {}, rows.map((r) => make(".barrow", { "data-right": r.right === null || r.right === undefined ? null : String(r.right) },
    make("span.label", {}, r.label),
    make("span.track", {}, make("span.fillbar", { style: `width:${(100 * r.n) / most}%` })),
    make("span.count", {}, String(r.n), make("small", {}, ` ${percent(r.n, of)}`)))));
}

/** 卡片落在多数人放的格子里；四个格子就是四象限。 */
function drawBins({ bins, cards, of }) {
  const piles = bins.map(() => []);
  const waiting = [];
  for (const card of cards) {
    const most = Math.max(...card.counts);
    if (!most) { waiting.push(make(".chip", {}, make("span", {}, card.text))); continue; }
    const at = card.counts.indexOf(most);
    const right = card.right && card.right.includes(at);
    piles[at].push([most, make(".chip", { title: card.text, "data-right": card.right ? String(right) : null, "data-split": most < 0.6 * of },
      make("span", {}, card.text),
      make("b", {}, percent(most, of)),
      card.right && !right ? make("small.belongs", {}, `→ ${card.right.map((b) => bins[b]).join("、")}`) : null,
      make("span.split", { title: card.counts.map((n, b) => `${bins[b]} ${n}`).join("，") },
        card.counts.map((n, b) => (n ? make("i", { style: `flex:${n};--n:${b}` }) : null))))]);
  }
  return make("div", {}, waiting.length ? make(".pilewait", {}, waiting) : null,
    make(".grid", { "data-bins": bins.length, "data-many": cards.length > 10 }, bins.map((title, b) => make("section.bin", { style: `--n:${b}` },
      make("h3", {}, title, make("small", {}, piles[b].length ? ` ${piles[b].length} 张` : "")),
      piles[b].sort((x, y) => y[0] - x[0]).map(([, chip]) => chip)))),
    make("p.legend", {}, "卡片在多数人放的格子里；虚线的，意见还没有到六成。下面的色条是各格子的票。"));
}

function drawRanks({ rows }) {
  return make(".ranks", {}, rows.map((r, at) => make(".rank", { "data-right": r.right ? String(r.right === at + 1) : null },
    make("b.place", {}, r.mean === null ? "·" : String(at + 1)), make("span.label", {}, r.text, r.right ? make("small.belongs", {}, ` 第 ${r.right} 步`) : null),
    make("span.heat", {}, r.counts.map((n) => make("i", { style: `--share:${n / Math.max(1, ...r.counts)}` }, n ? String(n) : ""))),
    make("small.count", {}, r.mean === null ? "" : `平均第 ${short(r.mean)}`))),
  make("p.legend", {}, "格子里是把它排在第 1、第 2……步的人数。按平均次序排。"));
}

function drawNumbers({ blanks, of, revealed }) {
  return make(".numbers", {}, blanks.map((b) => {
    const most = Math.max(1, ...b.bins.map((x) => x.n));
    return make("section", {}, make("h3", {}, b.title, b.unit ? make("small", {}, `（${b.unit}）`) : null),
      make(".columns", {}, b.bins.map((x) => make(".column", {}, make("b", {}, x.n ? String(x.n) : ""),
        make("i", { style: `height:${(9 * x.n) / most}em` }), make("span", {}, x.label)))),
      make("p.legend", {}, b.median === null ? "还没有答案。" : `中位数 ${short(b.median)}${b.unit}`,
        revealed ? make("b.belongs", {}, `　答案 ${b.key}${b.unit}，答对 ${b.right} 人，${percent(b.right, of)}`) : null));
  }));
}

function drawWords(words) {
  const most = Math.max(1, ...words.map((w) => w.n));
  return make(".words", {}, words.map((w) => make("span", { style: `font-size:${0.8 + (1.4 * w.n) / most}em` }, w.word, make("small", {}, String(w.n)))));
}
function drawTexts(texts, act) {
  return make(".texts", {}, texts.map((t) => make("blockquote", { "data-hidden": t.hidden },
    t.text || (t.hidden ? "（收起来了）" : ""), t.name ? make("footer", {}, t.name) : null,
    act ? make("button.small", { type: "button", onclick: () => act(t) }, t.hidden ? "放出来" : "收起来") : null)));
}

const BEST_FIRST = { 3: [0, 2, 4], 4: [0, 1, 3, 4], 5: [0, 1, 2, 3, 4] };
function drawStack(item) {
  const k = item.rows.length;
  const tones = BEST_FIRST[k] || item.rows.map((_, i) => Math.round((4 * i) / Math.max(1, k - 1)));
  return make(".stack", {}, item.rows.map((r, i) => (r.n ? make("span", { style: `flex:${r.n}`, "data-tone": tones[item.rising ? k - 1 - i : i], title: `${r.label} ${r.n}` },
    r.n / item.n > 0.09 ? String(r.n) : "") : null)));
}
function drawSurvey({ items, quadrant, of }, act) {
  const rated = items.filter((i) => i.top);
  const nodes = [];
  if (quadrant) nodes.push(drawQuadrant(quadrant));
  // 同一套量表的题排在一起，一题一条
  const sets = new Map();
  for (const item of rated) {
    const key = item.rows.map((r) => r.label).join("|");
    sets.set(key, [...(sets.get(key) || []), item]);
  }
  for (const set of sets.values()) {
    const tones = BEST_FIRST[set[0].rows.length];
    nodes.push(make(".likert", {}, set.map((item) => make(".likertrow", {}, make("span.label", {}, item.ask), drawStack(item),
      make("span.count", {}, item.mean === null ? "" : short(item.mean), make("small", {}, item.mean === null ? "" : ` / ${item.top}`)))),
    make("p.legend", {}, set[0].rows.length > 6 ? "颜色从深蓝（最好）到橙（最差）。" : set[0].rows.map((r, i) => {
      const at = set[0].rising ? set[0].rows.length - 1 - i : i;
      return make("span.key", { "data-tone": tones ? tones[at] : Math.round((4 * at) / Math.max(1, set[0].rows.length - 1)) }, r.label);
    }))));
  }
  for (const item of items.filter((i) => !i.top)) {
    nodes.push(make("section", {}, make("h3", {}, item.ask), item.rows ? drawBars(item.rows, of)
      : [drawWords(item.words), drawTexts(item.texts, act)]));
  }
  return make(".survey", {}, nodes);
}

const SVG = "http://www.w3.org/2000/svg";
function svg(tag, props, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}
/** 重要性（横）和满意（竖）的四象限；点用号码，名字在旁边。 */
function drawQuadrant({ points, cuts, derived }) {
  const [w, ht, pad] = [640, 420, 40];
  const picture = svg("svg", { viewBox: `0 0 ${w} ${ht}`, role: "img", "aria-label": "重要性和满意的四象限" });
  const box = { class: "frame", x: pad, y: 8, width: w - pad - 8, height: ht - pad - 8 };
  picture.append(svg("rect", box));
  const span = (axis) => {
    const all = points.map((p) => p[axis]);
    const reach = Math.max(derived && axis === "x" ? 0.1 : 0.25, ...all.map((v) => Math.abs(v - cuts["xy".indexOf(axis)]))) * 1.35;
    return (v) => (v - cuts["xy".indexOf(axis)]) / reach;
  };
  const [cx, cy] = [box.x + box.width / 2, box.y + box.height / 2];
  picture.append(svg("line", { class: "cut", x1: cx, x2: cx, y1: box.y, y2: box.y + box.height }),
    svg("line", { class: "cut", x1: box.x, x2: box.x + box.width, y1: cy, y2: cy }));
  for (const [name, x, y, anchor] of [["可能过度", box.x + 10, box.y + 26, "start"], ["继续保持", box.x + box.width - 10, box.y + 26, "end"],
    ["次要机会", box.x + 10, box.y + box.height - 12, "start"], ["重点改进", box.x + box.width - 10, box.y + box.height - 12, "end"]]) {
    picture.append(svg("text", { class: "corner", x, y, "text-anchor": anchor }, name));
  }
  picture.append(svg("text", { class: "axis", x: cx, y: ht - 10, "text-anchor": "middle" }, derived ? "重要性（和总体满意的相关）→" : "重要性 →"),
    svg("text", { class: "axis", x: -cy, y: 24, transform: "rotate(-90)", "text-anchor": "middle" }, "满意 →"));
  if (points.length) {
    const [fx, fy] = [span("x"), span("y")];
    points.forEach((p, at) => {
      const [x, y] = [cx + (fx(p.x) * box.width) / 2, cy - (fy(p.y) * box.height) / 2];
      picture.append(svg("circle", { class: "dot", cx: x, cy: y, r: 15 }), svg("text", { class: "dotname", x, y: y + 6, "text-anchor": "middle" }, at + 1));
    });
  }
  return make(".quadrant", {}, picture, points.length ? make("ol", {}, points.map((p) => make("li", {}, `${p.name} `,
    make("small", {}, `重要 ${short(p.x)}，满意 ${short(p.y)}`)))) : make("p.legend", {}, "答案再多几份，点就出来了。"));
}

function draw(drawn, act) {
  switch (drawn.kind) {
    case "bars": return drawBars(drawn.rows, drawn.of);
    case "bins": return drawBins(drawn);
    case "ranks": return drawRanks(drawn);
    case "numbers": return drawNumbers(drawn);
    case "words": return make("div", {}, drawWords(drawn.words), drawTexts(drawn.texts, act));
    default: return drawSurvey(drawn, act);
  }
}
