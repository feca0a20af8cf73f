// 分级板：一队客户，两条能拖的线，切成 A、B、C。算法和 crmlib/boards/pareto.py 一样。

const WIDE = 820;
const HIGH = 380;
const EDGE = { left: 56, right: 20, top: 14, bottom: 40 };

/** 排好队、算好累计占比；不大于 0 的排在最后，不定级。 */
function lineUp(board, order) {
  const sorted = [...board.rows].sort((a, b) => b[order] - a[order] || (a.id < b.id ? -1 : 1));
  const good = sorted.filter((r) => r[order] > 0);
  const total = good.reduce((sum, r) => sum + r[order], 0);
  let run = 0;
  let start = 0; // 金额相同的一起定级：看这一组开头以前的累计
  const queue = good.map((r, i) => {
    if (!i || good[i - 1][order] !== r[order]) start = run / total;
    run += r[order];
    return { id: r.id, value: r[order], before: start, reached: run / total };
  });
  return { queue, bad: sorted.slice(good.length).map((r) => r.id), total };
}

const gradeOf = (row, cuts) => (row.before + 1e-12 < cuts[0] ? "A" : row.before + 1e-12 < cuts[1] ? "B" : "C");

const svg = (name, props = {}) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  return node;
};
const atY = (share) => EDGE.top + (1 - share) * (HIGH - EDGE.top - EDGE.bottom);
const wan = (x) => `${(x / 10000).toFixed(1)} 万元`;

function renderPareto(board) {
  const lines = Object.fromEntries(Object.keys(board.orders).map((o) => [o, lineUp(board, o)]));
  let order = board.order;
  let cuts = [...board.cuts];
  const atX = (i) => EDGE.left + (i / board.rows.length) * (WIDE - EDGE.left - EDGE.right);

  const plot = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "crm-plot", role: "img" });
  for (const y of [0, 0.25, 0.5, 0.75, 1]) {
    plot.append(svg("line", { x1: EDGE.left, x2: WIDE - EDGE.right, y1: atY(y), y2: atY(y), class: "crm-grid" }));
    const label = svg("text", { x: EDGE.left - 8, y: atY(y) + 5, "text-anchor": "end" });
    label.textContent = `${100 * y}%`;
    plot.append(label);
  }
  const axis = svg("text", { x: WIDE / 2, y: HIGH - 6, "text-anchor": "middle" });
  const areas = ["A", "B", "C"].map((g) => svg("path", { class: "crm-area", "data-grade": g }));
  const names = ["A", "B", "C", "亏"].map((g) => svg("text", { class: "crm-grade-name", "data-grade": g, "text-anchor": "middle", y: HIGH - EDGE.bottom - 10 }));
  const loss = svg("rect", { class: "crm-area", "data-grade": "亏", y: EDGE.top, height: HIGH - EDGE.top - EDGE.bottom });
  const curve = svg("path", { class: "crm-curve" });
  const bars = [0, 1].map((k) => svg("line", { x1: EDGE.left, x2: WIDE - EDGE.right, class: "crm-cut", "data-cut": k }));
  const grips = [0, 1].map((k) => svg("circle", { r: 9, cx: WIDE - EDGE.right - 12, class: "crm-cut-grip", "data-cut": k }));
  plot.append(axis, ...areas, loss, curve, ...names, ...bars, ...grips);

  const sliders = [0, 1].map((k) => h("input.crm-slider", { type: "range", min: "1", max: "99", step: "1",
    "aria-label": k ? "B 和 C 的线" : "A 和 B 的线" }));
  const said = [0, 1].map(() => h("output"));
  const switches = Object.entries(board.orders).map(([o, title]) => h("button.crm-button", { type: "button", "data-order": o,
    onclick: () => { order = o; draw(true); } }, title));
  const news = h(".crm-news", { role: "status", "aria-live": "polite" });
  const counts = h(".crm-counts");
  const chips = Object.entries(board.watch).map(([id, name]) => ({ id, node: h("li.crm-chip", { title: name }) }));
  const reset = h("button.crm-button.crm-reset", { type: "button",
    onclick: () => { cuts = [...board.cuts]; order = board.order; draw(true); } }, "↺ 还原");

  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(false); }); };
  function move(k, value) {
    const share = Math.round(100 * Math.min(0.99, Math.max(0.01, value))) / 100;
    cuts[k] = k ? Math.max(share, cuts[0] + 0.01) : Math.min(share, cuts[1] - 0.01);
    cuts = cuts.map((c) => Math.round(c * 100) / 100);
    soon();
  }
  sliders.forEach((slider, k) => {
    slider.addEventListener("input", () => move(k, Number(slider.value) / 100));
    slider.addEventListener("change", () => draw(true));
  });
  // 在图上拖：抓住近的那条线
  let held = null;
  const shareAt = (e) => {
    const box = plot.getBoundingClientRect();
    return 1 - ((e.clientY - box.top) / box.height * HIGH - EDGE.top) / (HIGH - EDGE.top - EDGE.bottom);
  };
  plot.addEventListener("pointerdown", (e) => {
    const near = [0, 1].map((k) => Math.abs(shareAt(e) - cuts[k]));
    const k = near[0] <= near[1] ? 0 : 1;
    if (near[k] > 0.08) return;
    held = k;
    plot.setPointerCapture?.(e.pointerId);
    e.preventDefault();
  });
  plot.addEventListener("pointermove", (e) => { if (held !== null) move(held, shareAt(e)); });
  for (const over of ["pointerup", "pointercancel"]) {
    plot.addEventListener(over, () => { if (held !== null) { held = null; draw(true); } });
  }

  function draw(settled) {
    const { queue, bad } = lines[order];
    const ends = ["A", "B"].map((g) => queue.filter((r) => gradeOf(r, cuts) <= g).length);
    const edges = [0, ...ends, queue.length, board.rows.length];
    const point = (i) => `${atX(i).toFixed(1)},${atY(i ? queue[i - 1].reached : 0).toFixed(1)}`;
    const between = (from, to) => Array.from({ length: to - from + 1 }, (_, k) => point(from + k)).join("L");
    areas.forEach((area, k) => area.setAttribute("d",
      `M${atX(edges[k])},${atY(0)}L${between(edges[k], edges[k + 1])}L${atX(edges[k + 1])},${atY(0)}Z`));
    loss.setAttribute("x", atX(queue.length));
    loss.setAttribute("width", atX(board.rows.length) - atX(queue.length));
    curve.setAttribute("d", `M${between(0, queue.length)}`);
    names.forEach((name, k) => {
      const width = edges[k + 1] - edges[k];
      name.setAttribute("x", atX((edges[k] + edges[k + 1]) / 2));
      name.textContent = width > 25 ? "ABC亏"[k] : "";
    });
    cuts.forEach((cut, k) => {
      bars[k].setAttribute("y1", atY(cut));
      bars[k].setAttribute("y2", atY(cut));
      grips[k].setAttribute("cy", atY(cut));
      sliders[k].value = String(Math.round(cut * 100));
      said[k].textContent = `${Math.round(cut * 100)}%`;
    });
    axis.textContent = `${board.rows.length} 家客户，${board.orders[order]}从大到小；竖着看累计占了几成`;
    switches.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.order === order)));
    counts.replaceChildren(...["A", "B", "C", "亏"].map((g, k) => {
      const n = edges[k + 1] - edges[k];
      return h("span.crm-count", { "data-grade": g, hidden: !n }, h("b", {}, g), ` ${n} 家`);
    }));
    const grade = Object.fromEntries([...queue.map((r) => [r.id, gradeOf(r, cuts)]), ...bad.map((id) => [id, "亏"])]);
    const value = Object.fromEntries(board.rows.map((r) => [r.id, r[order]]));
    for (const { id, node } of chips) {
      node.dataset.grade = grade[id];
      node.replaceChildren(h("b", {}, grade[id]), ` ${id}`, h("span", {}, wan(value[id])));
    }
    if (!settled) return;
    const last = queue[ends[0] - 1];
    const next = queue[ends[0]];
    const lost = bad.filter((id) => id in board.watch);
    news.textContent = `A 级 ${ends[0]} 家，最后一家是 ${last.id}（${wan(last.value)}）`
      + (next ? `；压在线外的是 ${next.id}（${wan(next.value)}），差 ${Math.round(last.value - next.value)} 元。` : "。")
      + (lost.length ? `前十二大户里，${lost.join("、")} 在亏钱。` : "");
    plot.setAttribute("aria-label", `累计占比曲线，${news.textContent}`);
  }

  const slide = (title, k) => h("label.crm-slide", {}, h("span", {}, title), sliders[k], said[k]);
  const root = h("section.crm-look.crm-task.crm-board.crm-pareto-board", { "aria-label": "分级板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "分级板：两条线，切三级"),
      h("span.crm-jumps", { role: "group", "aria-label": "怎么排" }, switches), reset),
    h(".crm-inside", {},
      h(".crm-knobs", {}, slide("A、B 的线", 0), slide("B、C 的线", 1)), counts, news,
      h(".crm-pareto-main", {}, plot,
        h(".crm-watch", {}, h("span.crm-help", {}, "收入最多的 12 家，各是几级："), h("ul", {}, chips.map((c) => c.node))))));
  keepKeys(root);
  draw(true);
  return root;
}

export default boardWidget(renderPareto, { look: false });
