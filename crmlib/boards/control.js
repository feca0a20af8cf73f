// 控制图板：选一片、一样，拖动基准，红点是越线的周。算法和 crmlib/methods/service.py 的 u_chart、p_chart 一样。

// ---- 算 ----

function controlChart(series, baseline) {
  const { counts, sizes, per, kind } = series;
  const sum = (list) => list.slice(0, baseline).reduce((a, b) => a + b, 0);
  const centre = sum(counts) / sum(sizes);
  const variance = kind === "u" ? centre : centre * (1 - centre);
  return counts.map((count, i) => {
    const sigma = Math.sqrt(variance / sizes[i]);
    const value = count / sizes[i];
    const high = kind === "u" ? centre + 3 * sigma : Math.min(1, centre + 3 * sigma);
    return { value: per * value, centre: per * centre, low: per * Math.max(0, centre - 3 * sigma), high: per * high,
      out: Math.abs(value - centre) / sigma > 3 };
  });
}

// ---- 画 ----

const SVG = "http://www.w3.org/2000/svg";
function svg(name, props = {}) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  return node;
}

/** 只在真的变了时才写：拖动基准时，多数点不动。 */
function put(node, name, value) {
  const said = String(value);
  if (node.getAttribute(name) !== said) node.setAttribute(name, said);
}

/** [28, 29, 30, 36] → "28—30、36" */
function runs(weeks) {
  const found = [];
  for (const week of weeks) {
    const last = found.at(-1);
    if (last && last[1] === week - 1) last[1] = week;
    else found.push([week, week]);
  }
  return found.map(([a, b]) => (a === b ? `${a}` : `${a}—${b}`)).join("、");
}

function renderControl(board) {
  let [at, baseline] = board.start;
  let picked = null; // 点中的一周
  let only = false; // 只看件数，不除
  const [width, height, left, right, top, bottom] = [960, 340, 56, 118, 26, 34];
  const n = board.weeks.length;
  const x = (i) => left + ((width - left - right) * (i + 0.5)) / n;
  const regions = [...new Set(board.series.map((s) => s.region))];
  const measures = [...new Set(board.series.map((s) => s.measure))];
  const find = (region, measure) => board.series.findIndex((s) => s.region === region && s.measure === measure);
  const choice = (title, names, now, go) => {
    const buttons = names.map((name) => h("button.crm-button.crm-control-pick", { type: "button", onclick: () => { go(name); draw(); } }, name));
    return { node: h(".crm-control-picks", { role: "group", "aria-label": title }, buttons),
      draw: () => buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(names[i] === now()))) };
  };
  const here = () => board.series[at];
  const where = choice("区域", regions, () => here().region, (r) => { at = find(r, here().measure); });
  const what = choice("看什么", measures, () => here().measure, (m) => { at = find(here().region, m); });
  const raw = h("button.crm-flip", { type: "button", role: "switch", "aria-checked": "false",
    onclick: () => { only = !only; draw(); } }, h("span.crm-knob", { "aria-hidden": "true" }), "只数个数，不除");
  const slider = h("input.crm-slider", { type: "range", min: String(board.shortest), max: String(n), step: "1",
    "aria-label": "基准：用前几周", oninput: () => { baseline = Number(slider.value); draw(); } });
  const shown = h("output");
  const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  const news = h(".crm-control-news", { role: "status", "aria-live": "polite" });
  const detail = h(".crm-control-detail");

  // 画布上的东西只造一次，以后只挪
  const shade = svg("rect", { class: "crm-week-base", y: top, height: height - top - bottom, x: left });
  const band = svg("polygon", { class: "crm-week-band" });
  const lines = Object.fromEntries(["high", "low", "centre", "value"].map((k) => [k, svg("polyline", { class: `crm-week-line-${k}` })]));
  const names = Object.fromEntries(["high", "centre", "low"].map((k) => [k, svg("text", { class: "crm-week-tick", x: width - right + 8 })]));
  const ticks = Array.from({ length: 6 }, () => [svg("line", { class: "crm-week-grid", x1: left, x2: width - right }), svg("text", { class: "crm-week-tick", x: left - 8, "text-anchor": "end" })]);
  const dots = board.weeks.map((week, i) => {
    const dot = svg("circle", { class: "crm-week", cx: x(i), tabindex: i ? "-1" : "0", role: "button" });
    dot.addEventListener("click", () => pick(i));
    dot.addEventListener("focus", () => pick(i));
    dot.addEventListener("mouseenter", () => pick(i));
    return dot;
  });
  const labels = board.weeks.map((week, i) => (week % 4 === 0 || week === 1
    ? [Object.assign(svg("text", { class: "crm-week-tick", x: x(i), y: height - 12, "text-anchor": "middle" }), { textContent: String(week) })] : [])).flat();
  const unit = svg("text", { class: "crm-week-tick", x: 4, y: 12 });
  const axis = Object.assign(svg("text", { class: "crm-week-tick", x: width - right + 8, y: height - 12 }), { textContent: "第几周" });
  picture.append(shade, ...ticks.flat(), band, lines.low, lines.high, lines.centre, lines.value, ...dots, ...labels, axis, unit, ...Object.values(names));

  picture.addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    const now = dots.indexOf(document.activeElement);
    if (!step || now < 0) return;
    dots[Math.max(0, Math.min(n - 1, now + step))].focus();
    e.preventDefault();
    e.stopPropagation();
  });

  function pick(i) {
    picked = i;
    dots.forEach((dot, k) => dot.setAttribute("tabindex", k === i ? "0" : "-1"));
    drawDetail();
  }

  function drawDetail() {
    const s = here();
    if (picked === null) { detail.textContent = "指一个点，看那一周。"; return; }
    const point = controlChart(s, baseline)[picked];
    detail.textContent = `第 ${board.weeks[picked]} 周：${s.measure} ${s.counts[picked]} 件，${s.kind === "u" ? "发了" : "抽检"} `
      + `${s.sizes[picked].toLocaleString("en-US")} 件，${point.value.toFixed(2)} ${s.unit}`
      + (only ? "" : `；线是 ${point.low.toFixed(2)} 到 ${point.high.toFixed(2)}${point.out ? "，越线" : "，没有越线"}`);
  }

  function draw() {
    const s = here();
    const points = controlChart(s, baseline);
    const values = only ? s.counts : points.map((p) => p.value);
    const most = 1.08 * Math.max(...values, ...(only ? [] : points.map((p) => p.high)));
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200].find((k) => most / k <= 5.999) || 500;
    const y = (v) => top + (height - top - bottom) * (1 - v / most);
    const path = (pick) => points.map((p, i) => `${x(i).toFixed(1)},${y(pick(p, i)).toFixed(1)}`).join(" ");
    ticks.forEach(([line, label], k) => {
      const v = k * step;
      const off = v > most;
      line.setAttribute("visibility", off ? "hidden" : "visible");
      label.textContent = off ? "" : trim(v);
      for (const name of ["y1", "y2"]) put(line, name, off ? 0 : y(v).toFixed(1));
      put(label, "y", off ? 0 : (y(v) + 5).toFixed(1));
    });
    picture.toggleAttribute("data-only", only);
    shade.setAttribute("width", x(baseline - 1) - left + (x(1) - x(0)) / 2);
    lines.value.setAttribute("points", path((p, i) => values[i]));
    for (const k of ["high", "low", "centre"]) lines[k].setAttribute("points", only ? "" : path((p) => p[k]));
    band.setAttribute("points", only ? "" : `${path((p) => p.high)} ${path((p) => p.low).split(" ").reverse().join(" ")}`);
    const said = { high: "上限", centre: "中心", low: "下限" };
    for (const [k, node] of Object.entries(names)) {
      const last = points.at(-1)[k];
      node.textContent = only ? "" : `${said[k]} ${last.toFixed(2)}`;
      node.setAttribute("y", only ? 0 : y(last) + 5);
    }
    const out = [];
    dots.forEach((dot, i) => {
      const bad = !only && points[i].out;
      if (bad) out.push(board.weeks[i]);
      put(dot, "cy", y(values[i]).toFixed(1));
      put(dot, "r", bad ? 7 : 4);
      dot.toggleAttribute("data-out", bad);
      put(dot, "aria-label", `第 ${board.weeks[i]} 周，${values[i].toFixed(only ? 0 : 2)}${bad ? "，越线" : ""}`);
    });
    slider.value = String(baseline);
    slider.disabled = only;
    shown.textContent = baseline === n ? "全年 52 周" : `前 ${baseline} 周`;
    slider.setAttribute("aria-valuetext", shown.textContent);
    raw.setAttribute("aria-checked", String(only));
    unit.textContent = only ? "件" : s.unit;
    where.draw();
    what.draw();
    news.textContent = only ? `${s.region}每周${s.measure}多少件。件多的周，自然也多。`
      : out.length ? `越线 ${out.length} 周：第 ${runs(out)} 周。` : "没有一周越线：都在平常的波动里。";
    news.toggleAttribute("data-out", out.length > 0);
    picture.setAttribute("aria-label", `${s.region}${s.measure}控制图。${news.textContent}`);
    drawDetail();
  }

  const root = h("section.crm-look.crm-task.crm-board", { "aria-label": "控制图板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "控制图板　2025 年每周")),
    h(".crm-inside", {}, h(".crm-control-tools", {}, where.node, what.node, raw),
      h(".crm-control-base", {}, h("span", {}, "基准"), slider, shown), picture, news, detail));
  keepKeys(root);
  draw();
  return root;
}

export default boardWidget(renderControl, { look: false });
