// 客户分群板：拖线或拖群数，地图换颜色。全在浏览器里算，和 crmlib/boards/segments.py 说的一样。

const TONES = { // 亮、暗两套；每群还有一种记号，分不清颜色也看得出
  light: ["#1d63a8", "#c2571a", "#23764a", "#8e3f97", "#8a6d00", "#0e7c86", "#b3362a", "#55606b"],
  dark: ["#7bb7f0", "#f2a671", "#7fd3a0", "#d7a0e6", "#e6cf62", "#6fd6df", "#f29a90", "#b6c2cd"],
};
const MARKS = ["●", "■", "▲", "◆", "▼", "✚", "✖", "★"];
const commas = new Intl.NumberFormat("zh-CN");
const whole = (x) => commas.format(Math.round(x));
const percent = (part, all) => `${((100 * part) / (all || 1)).toFixed(1)}%`;

// ---- 算 ----

/** 三刀以后，每一位在八类里的第几类：近 4、常来 2、花得多 1，没有的加。 */
function rfmPlaces(rows, cut) {
  return rows.map(([days, orders, money]) => {
    const near = days <= cut.R, often = orders >= cut.F, much = money >= cut.M;
    return (near ? (often ? 0 : 1) : often ? 2 : 3) + (much ? 0 : 4);
  });
}

// ---- 画点 ----

function drawMark(pen, mark, x, y, r, hollow) {
  pen.beginPath();
  if (mark === "■") pen.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
  else if (mark === "▲") { pen.moveTo(x, y - r * 1.2); pen.lineTo(x + r * 1.1, y + r * 0.9); pen.lineTo(x - r * 1.1, y + r * 0.9); pen.closePath(); }
  else if (mark === "▼") { pen.moveTo(x, y + r * 1.2); pen.lineTo(x + r * 1.1, y - r * 0.9); pen.lineTo(x - r * 1.1, y - r * 0.9); pen.closePath(); }
  else if (mark === "◆") { pen.moveTo(x, y - r * 1.3); pen.lineTo(x + r * 1.1, y); pen.lineTo(x, y + r * 1.3); pen.lineTo(x - r * 1.1, y); pen.closePath(); }
  else if (mark === "✚") { pen.rect(x - r * 0.4, y - r * 1.2, r * 0.8, r * 2.4); pen.rect(x - r * 1.2, y - r * 0.4, r * 2.4, r * 0.8); }
  else if (mark === "✖") { pen.moveTo(x - r, y - r); pen.lineTo(x + r, y + r); pen.moveTo(x + r, y - r); pen.lineTo(x - r, y + r); pen.stroke(); return; }
  else if (mark === "★") { pen.moveTo(x, y - r * 1.4); pen.lineTo(x + r * 0.5, y + r); pen.lineTo(x - r * 1.3, y - r * 0.4); pen.lineTo(x + r * 1.3, y - r * 0.4); pen.lineTo(x - r * 0.5, y + r); pen.closePath(); }
  else pen.arc(x, y, r, 0, 7);
  if (hollow) pen.stroke(); else pen.fill();
}

/** 一根轴：数 → 0 到 1 的位置；log 是对数轴（加 1，容得下 0）。 */
function axisOf(values, log) {
  const bend = log ? (x) => Math.log1p(x) : (x) => x;
  const low = log ? Math.min(...values) : Math.min(0, ...values);
  const high = Math.max(...values);
  const at = (x) => (bend(x) - bend(low)) / (bend(high) - bend(low) || 1);
  const ticks = [];
  if (log) {
    for (let p = 0; p < 6; p += 1) for (const m of [1, 3]) { const t = m * 10 ** p; if (t >= low && t <= high) ticks.push(t); }
    while (ticks.length > 6) ticks.splice(0, ticks.length, ...ticks.filter((_, i) => i % 2 === 0));
  } else {
    const raw = (high - low) / 5 || 1;
    const ten = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((m) => m * ten).find((s) => s >= raw);
    for (let t = Math.ceil(low / step) * step; t <= high + 1e-9; t += step) ticks.push(Number(t.toFixed(6)));
  }
  const back = (share) => { const b = bend(low) + share * (bend(high) - bend(low)); return log ? Math.expm1(b) : b; };
  return { at, ticks, back };
}

/** 地图：点、轴、分界线。spec: {x, y, xTitle, yTitle, places, hollow, lines} */
function makeMap(root, label) {
  const canvas = h("canvas.crm-seg-map", { role: "img" });
  const frame = h(".crm-seg-frame", {}, canvas);
  let box = null;
  const measure = () => {
    const em = parseFloat(getComputedStyle(frame).fontSize) || 16;
    const width = frame.clientWidth || 480;
    box = { em, width, height: Math.min(Math.max(width * 0.66, 15 * em), 25 * em), dark: document.body.dataset.jpThemeLight === "false", looks: getComputedStyle(root) };
    const look = (name, spare) => box.looks.getPropertyValue(name).trim() || spare;
    Object.assign(box, { ink: look("--jp-content-font-color1", "#222"), quiet: look("--strong-line", "#999"), line: look("--line", "#ddd"), accent: look("--accent", "#1d63a8"), font: box.looks.fontFamily });
    box.inner = { left: 4 * em, right: box.width - 0.9 * em, top: 1.7 * em, bottom: box.height - 3 * em };
  };
  const draw = (spec) => {
    if (!box || box.dark !== (document.body.dataset.jpThemeLight === "false")) measure();
    const { em, width, height, inner } = box;
    const pen = cleanPen(canvas, width, height);
    const px = (v) => inner.left + spec.x.at(v) * (inner.right - inner.left);
    const py = (v) => inner.bottom - spec.y.at(v) * (inner.bottom - inner.top);
    pen.font = `${0.82 * em}px ${box.font}`;
    pen.fillStyle = box.ink; pen.strokeStyle = box.line; pen.lineWidth = 1;
    pen.textAlign = "center";
    for (const tick of spec.x.ticks) { pen.beginPath(); pen.moveTo(px(tick), inner.top); pen.lineTo(px(tick), inner.bottom); pen.stroke(); pen.fillText(whole(tick) === "0" && tick ? String(tick) : trim(tick), px(tick), inner.bottom + 1.15 * em); }
    pen.fillText(spec.xTitle, (inner.left + inner.right) / 2, inner.bottom + 2.5 * em);
    pen.textAlign = "right";
    for (const tick of spec.y.ticks) { pen.beginPath(); pen.moveTo(inner.left, py(tick)); pen.lineTo(inner.right, py(tick)); pen.stroke(); pen.fillText(trim(tick), inner.left - 0.4 * em, py(tick) + 0.3 * em); }
    pen.textAlign = "left";
    pen.fillText(spec.yTitle, 0.2 * em, 1 * em);
    const tones = TONES[box.dark ? "dark" : "light"];
    const r = Math.max(2.4, 0.2 * em);
    pen.globalAlpha = 0.72; pen.lineWidth = 1.3;
    spec.rows.forEach((row, n) => {
      const place = spec.places[n];
      const group = place % (spec.fold || 8);
      pen.fillStyle = pen.strokeStyle = tones[group];
      drawMark(pen, MARKS[group], px(row[spec.ix]), py(row[spec.iy]), r, spec.fold && place >= spec.fold);
    });
    pen.globalAlpha = 1;
    pen.strokeStyle = box.accent; pen.lineWidth = 2.5; pen.setLineDash([8, 5]);
    for (const line of spec.lines || []) {
      pen.beginPath();
      if (line.axis === "x") { pen.moveTo(px(line.at), inner.top); pen.lineTo(px(line.at), inner.bottom); }
      else { pen.moveTo(inner.left, py(line.at)); pen.lineTo(inner.right, py(line.at)); }
      pen.stroke();
    }
    pen.setLineDash([]);
    canvas.setAttribute("aria-label", label());
  };
  return { node: frame, canvas, draw, forget: () => { box = null; }, inner: () => box.inner };
}

const swatch = (group, hollow) => h("span.crm-seg-swatch", { "data-group": String(group), "aria-hidden": "true" }, hollow ? { "●": "○", "■": "□", "▲": "△", "◆": "◇" }[MARKS[group]] : MARKS[group]);

function slide(title, unit, min, max, step, onMove) {
  const value = h("output.crm-seg-value");
  const input = h("input.crm-seg-slider", { type: "range", min: String(min), max: String(max), step: String(step), "aria-label": title });
  input.addEventListener("input", () => onMove(Number(input.value), false));
  input.addEventListener("change", () => onMove(Number(input.value), true));
  const set = (x) => { input.value = String(x); value.textContent = `${x} ${unit}`; input.setAttribute("aria-valuetext", value.textContent); };
  return { set, node: h("label.crm-seg-slide", {}, h("span.crm-seg-name", {}, title, value), input) };
}

// ---- 三刀 ----

function renderCuts(board) {
  const fresh = () => Object.fromEntries(board.cuts.map((c) => [c.id, c.start]));
  let cut = fresh();
  // 顺序：近常来、近来得少、不近常来、不近来得少；先花得多，再花得少
  const names = ["重要价值客户", "重要发展客户", "重要保持客户", "重要挽留客户", "一般价值客户", "一般发展客户", "一般保持客户", "一般挽留客户"];
  const total = board.rows.reduce((sum, row) => sum + row[2], 0);
  const x = axisOf(board.rows.map((r) => r[0]), false);
  const y = axisOf(board.rows.map((r) => r[1]), true);
  let counts = [];
  const root = h("section.crm-look.crm-task.crm-seg", { "aria-label": "RFM 地图板" });
  const map = makeMap(root, () => `散客地图，横轴隔几天，竖轴几次。${names.map((n, i) => `${n} ${counts[i]} 位`).join("，")}`);
  const slides = board.cuts.map((c) => ({ c, ...slide(c.title, c.unit, c.min, c.max, c.step, (v, settled) => { cut[c.id] = v; settled ? draw(true) : soon(); }) }));
  const cells = names.map((name, i) => {
    const n = h("b"), share = h("span"), node = h("tr", { "data-name": name },
      h("th", { scope: "row" }, swatch(i % 4, i >= 4), name.replace("客户", "")), h("td", {}, n), h("td", {}, share));
    return { n, share, node };
  });
  const best = h("b.crm-seg-big");
  const verdict = h("span.crm-seg-quiet");
  const news = h(".crm-unseen", { role: "status", "aria-live": "polite" });
  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(false); }); };

  function draw(settled) {
    for (const s of slides) s.set(cut[s.c.id]);
    const places = rfmPlaces(board.rows, cut);
    counts = names.map(() => 0);
    const money = names.map(() => 0);
    places.forEach((p, n) => { counts[p] += 1; money[p] += board.rows[n][2]; });
    cells.forEach((cell, i) => { cell.n.textContent = whole(counts[i]); cell.share.textContent = percent(money[i], total); });
    best.textContent = whole(counts[0]);
    const fits = counts[0] >= 60 && counts[0] <= 110;
    best.dataset.fits = fits ? "yes" : "no";
    verdict.textContent = fits ? "专线客服接得下" : counts[0] > 110 ? "太多，专线客服接不下" : "太少，专线客服闲着";
    map.draw({ rows: board.rows, ix: 0, iy: 1, x, y, xTitle: "R：隔了几天（越左越近）", yTitle: "F：几次", places, fold: 4, lines: [{ axis: "x", at: cut.R }, { axis: "y", at: cut.F }] });
    if (settled) news.textContent = `重要价值 ${counts[0]} 位，${verdict.textContent}`;
  }

  // 线也能在地图上直接拖：按下时抓最近的那一条
  let held = null;
  const pick = (event) => {
    const at = map.canvas.getBoundingClientRect();
    const inner = map.inner();
    const days = x.back(Math.min(1, Math.max(0, (event.clientX - at.left - inner.left) / (inner.right - inner.left))));
    const orders = y.back(Math.min(1, Math.max(0, (inner.bottom - (event.clientY - at.top)) / (inner.bottom - inner.top))));
    return { days, orders, dx: Math.abs(x.at(days) - x.at(cut.R)) * (inner.right - inner.left), dy: Math.abs(y.at(orders) - y.at(cut.F)) * (inner.bottom - inner.top) };
  };
  map.canvas.addEventListener("pointerdown", (event) => {
    const p = pick(event);
    if (Math.min(p.dx, p.dy) > 24) return;
    held = p.dx <= p.dy ? "R" : "F";
    map.canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  map.canvas.addEventListener("pointermove", (event) => {
    const p = pick(event);
    if (!held) { map.canvas.style.cursor = Math.min(p.dx, p.dy) > 24 ? "" : p.dx <= p.dy ? "ew-resize" : "ns-resize"; return; }
    const c = board.cuts.find((one) => one.id === held);
    const v = Math.round((held === "R" ? p.days : p.orders) / c.step) * c.step;
    cut[held] = Math.min(c.max, Math.max(c.min, v));
    soon();
  });
  for (const name of ["pointerup", "pointercancel"]) map.canvas.addEventListener(name, () => { if (held) { held = null; draw(true); } });

  root.append(
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "RFM 地图板"),
      h("button.crm-button.crm-seg-reset", { type: "button", onclick: () => { cut = fresh(); draw(true); } }, "↺ 还原")),
    h(".crm-inside", {}, h(".crm-seg-slides", {}, slides.map((s) => s.node)),
      h(".crm-seg-main", {}, h(".crm-seg-left", {}, map.node, h(".crm-seg-quiet", {}, "一个点是一位散客。实心：花得多；空心：花得少。线可以直接拖。")),
        h(".crm-seg-side", {},
          h(".crm-seg-result", {}, h("span", {}, "重要价值"), best, h("span", {}, "位"), verdict),
          h("table.crm-seg-table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "哪一类"), h("th", { scope: "col" }, "几位"), h("th", { scope: "col" }, "占金额"))),
            h("tbody", {}, cells.map((c) => c.node))))), news));
  return { root, draw, map };
}

// ---- 群数 ----

function renderGroups(board) {
  const root = h("section.crm-look.crm-task.crm-seg", { "aria-label": "客户分群板" });
  let k = 2;
  let scaled = board.scaled;
  let across = 0;
  let up = board.columns.length - 1;
  const axes = board.columns.map((c, i) => axisOf(board.rows.map((r) => r[i]), c.log));
  const trialOf = (n) => board.trials[scaled ? "scaled" : "raw"].find((t) => t.k === n);
  const means = new Map();
  const portraitOf = (trial) => {
    if (!means.has(trial)) {
      const groups = Array.from({ length: trial.k }, () => ({ n: 0, means: board.columns.map(() => 0) }));
      trial.labels.forEach((g, n) => { groups[g - 1].n += 1; board.rows[n].forEach((v, i) => { groups[g - 1].means[i] += v; }); });
      for (const g of groups) g.means = g.means.map((v) => v / g.n);
      means.set(trial, groups);
    }
    return means.get(trial);
  };
  let said = "";
  const map = makeMap(root, () => said);
  const ks = board.trials.raw.map((t) => t.k);
  const slider = slide("群数 k", "群", ks[0], ks[ks.length - 1], 1, (v, settled) => { k = v; settled ? draw(true) : soon(); });
  const toggle = h("button.crm-seg-switch", { type: "button", role: "switch", onclick: () => { scaled = !scaled; draw(true); } },
    h("span.crm-seg-knob", { "aria-hidden": "true" }), "换成同一把尺子");
  const choose = (title, now, set) => {
    const list = h("select.crm-seg-select", { "aria-label": title }, board.columns.map((c, i) => h("option", { value: String(i) }, c.id)));
    list.value = String(now);
    list.addEventListener("change", () => { set(Number(list.value)); draw(true); });
    return h("label", {}, title, list);
  };
  const figures = Object.fromEntries([["silhouette", "轮廓系数"], ["stability", "稳定性"], ["least", "最小一群"]].map(([id, title]) => {
    const value = h("b", { "data-figure": id });
    return [id, { value, node: h(".crm-seg-figure", {}, h("span", {}, title), value) }];
  }));
  const bars = h(".crm-seg-bars", { role: "img" }, ks.map((n) => h(".crm-seg-bar", { "data-k": String(n) }, h("span.crm-seg-bar-value"), h("span.crm-seg-bar-fill"), h("span", {}, String(n)))));
  const body = h("tbody");
  const news = h(".crm-unseen", { role: "status", "aria-live": "polite" });
  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(false); }); };
  const brief = (x) => (x >= 100 ? whole(x) : x.toFixed(1));

  function draw(settled) {
    slider.set(k);
    toggle.setAttribute("aria-checked", String(scaled));
    const trial = trialOf(k);
    const groups = portraitOf(trial);
    const least = Math.min(...groups.map((g) => g.n));
    figures.silhouette.value.textContent = trial.silhouette.toFixed(3);
    figures.stability.value.textContent = trial.stability.toFixed(2);
    figures.least.value.textContent = `${least} 家，${percent(least, board.rows.length)}`;
    body.replaceChildren(...groups.map((g, i) => h("tr", {}, h("th", { scope: "row" }, swatch(i), `第 ${i + 1} 群`), h("td", {}, h("b", {}, whole(g.n))), g.means.map((m) => h("td", {}, brief(m))))));
    for (const node of bars.children) {
      const one = trialOf(Number(node.dataset.k));
      node.toggleAttribute("data-here", one.k === k);
      node.children[0].textContent = one.silhouette.toFixed(2);
      node.children[1].style.height = `${Math.max(0, one.silhouette) * 5}em`;
    }
    bars.setAttribute("aria-label", `各群数的轮廓系数：${ks.map((n) => `${n} 群 ${trialOf(n).silhouette.toFixed(2)}`).join("，")}`);
    said = `客户地图，分 ${k} 群：${groups.map((g, i) => `第 ${i + 1} 群 ${g.n} 家`).join("，")}`;
    const [cx, cy] = [board.columns[across], board.columns[up]];
    map.draw({ rows: board.rows, ix: across, iy: up, x: axes[across], y: axes[up], xTitle: `${cx.id}（${cx.unit}）`, yTitle: `${cy.id}（${cy.unit}）`, places: trial.labels.map((g) => g - 1) });
    if (settled) news.textContent = `${scaled ? "同一把尺子" : "原来的单位"}，${k} 群，轮廓系数 ${trial.silhouette.toFixed(3)}，最小一群 ${least} 家`;
  }

  root.append(
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, `客户分群板：${board.year} 年 ${board.rows.length} 家老客户`),
      h("button.crm-button.crm-seg-reset", { type: "button", onclick: () => { k = 2; scaled = board.scaled; draw(true); } }, "↺ 还原")),
    h(".crm-inside", {}, h(".crm-seg-slides", {}, slider.node, toggle, choose("横轴", across, (v) => { across = v; }), choose("竖轴", up, (v) => { up = v; })),
      h(".crm-seg-main", {}, h(".crm-seg-left", {}, map.node),
        h(".crm-seg-side", {}, h(".crm-seg-figures", {}, Object.values(figures).map((f) => f.node)),
          h(".crm-seg-quiet", {}, "各群数的轮廓系数（同一把尺子才能比）"), bars)),
      h(".crm-seg-wide", { tabindex: "0", role: "region", "aria-label": "群画像" }, h("table.crm-seg-table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "群画像"), h("th", { scope: "col" }, "户数"), board.columns.map((c) => h("th", { scope: "col" }, `${c.id}（${c.unit}）`)))), body)), news));
  return { root, draw, map };
}

function renderBoard(board) {
  const shown = board.view === "rfm" ? renderCuts(board) : renderGroups(board);
  keepKeys(shown.root);
  const again = () => { shown.map.forget(); shown.draw(false); };
  const resized = new ResizeObserver(again);
  resized.observe(shown.map.node);
  const themed = new MutationObserver(again);
  themed.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  shown.draw(false);
  return { root: shown.root, stop: () => { resized.disconnect(); themed.disconnect(); } };
}

export default boardWidget(renderBoard, { look: false });
