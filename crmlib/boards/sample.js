// 样本板：60 次调研的得数，随份数收拢；不满意的人不肯回，收拢到错的地方。算法和 crmlib/boards/sample.py 一样。

const RUNS = 60;
const LEAST = 10;
const MOST = 1000;
const WIDE = 760;
const HIGH = 330;
const EDGE = { left: 56, right: 18, top: 14, bottom: 42 };

// ---- 算 ----

const answeredShare = (share, yes, no) => (share * yes) / (share * yes + (1 - share) * no);
const marginOf = (share, n, z) => z * Math.sqrt((share * (1 - share)) / n);

/** 每次调研先掷好 1000 个数：拖动份数时，前面的人不变，后面的人接着来。 */
function throwAll(seed) {
  return Array.from({ length: RUNS }, (_, run) => {
    const random = randomFrom(seed * 1000 + run);
    return Float32Array.from({ length: MOST }, random);
  });
}

/** 到第 n 家为止，说“满意”的累计有几家：yes[n]。 */
function countUp(thrown, share) {
  return thrown.map((numbers) => {
    const yes = new Uint16Array(MOST + 1);
    for (let i = 0; i < MOST; i += 1) yes[i + 1] = yes[i] + (numbers[i] < share);
    return yes;
  });
}

/** 份数的刻度：等比，低处细看；按钮上的份数也在里面。 */
function stepsWith(sizes) {
  const even = Array.from({ length: 61 }, (_, i) => Math.round(LEAST * (MOST / LEAST) ** (i / 60)));
  return [...new Set([...even, ...sizes])].sort((a, b) => a - b);
}

const svg = (name, props = {}) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  return node;
};
const atX = (n) => EDGE.left + (Math.log(n / LEAST) / Math.log(MOST / LEAST)) * (WIDE - EDGE.left - EDGE.right);
const atY = (share) => EDGE.top + (1 - share) * (HIGH - EDGE.top - EDGE.bottom);
const percent = (share, places = 0) => `${(100 * share).toFixed(places)}%`;

function renderSample(board) {
  const { share, z, reply } = board;
  const steps = stepsWith(board.sizes);
  let seed = 1;
  let thrown = throwAll(seed);
  let step = 0;
  let no = reply[0];
  let counts = null;

  // -- 图 --
  const plot = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "crm-plot", role: "img" });
  for (const y of [0, 0.25, 0.5, 0.75, 1]) {
    plot.append(svg("line", { x1: EDGE.left, x2: WIDE - EDGE.right, y1: atY(y), y2: atY(y), class: "crm-grid" }));
    const label = svg("text", { x: EDGE.left - 8, y: atY(y) + 5, "text-anchor": "end" });
    label.textContent = percent(y);
    plot.append(label);
  }
  for (const n of [10, 20, 50, 100, 200, 500, 1000]) {
    const label = svg("text", { x: atX(n), y: HIGH - 22, "text-anchor": "middle" });
    label.textContent = n;
    plot.append(label);
  }
  const axis = svg("text", { x: (WIDE + EDGE.left) / 2, y: HIGH - 4, "text-anchor": "middle" });
  axis.textContent = "收回的份数";
  const band = svg("path", { class: "crm-band" });
  const lines = svg("path", { class: "crm-runs" });
  const truth = svg("line", { x1: EDGE.left, x2: WIDE - EDGE.right, y1: atY(share), y2: atY(share), class: "crm-truth" });
  const truthLabel = svg("text", { x: EDGE.left + 6, y: atY(share) - 6, class: "crm-truth-label" });
  truthLabel.textContent = `真数 ${percent(share)}`;
  const dots = Array.from({ length: RUNS }, () => svg("circle", { r: 3.4, class: "crm-run-dot" }));
  const cursor = svg("line", { y1: EDGE.top, y2: HIGH - EDGE.bottom, class: "crm-cursor" });
  plot.append(axis, band, lines, truth, cursor, ...dots, truthLabel);
  const around = steps.map((n) => [atX(n), marginOf(share, n, z)]);
  const edge = (sign) => around.map(([x, m]) => `${x.toFixed(1)},${atY(share + sign * m).toFixed(1)}`);
  band.setAttribute("d", `M${edge(1).join("L")}L${edge(-1).reverse().join("L")}Z`);

  // -- 控件 --
  const size = h("input.crm-slider", { type: "range", min: "0", max: String(steps.length - 1), step: "1", value: "0" });
  const sizeNow = h("output");
  const quiet = h("input.crm-slider", {
    type: "range", min: "5", max: String(Math.round(100 * reply[0])), step: "1", value: String(Math.round(100 * reply[0])) });
  const quietNow = h("output");
  const jump = board.sizes.map((n) => h("button.crm-button", {
    type: "button", onclick: () => { step = steps.indexOf(n); draw(true); } }, `${n} 份`));
  const real = h("button.crm-button", {
    type: "button", onclick: () => { no = reply[1]; counts = null; draw(true); } }, `照去年 11 月：${percent(reply[1])}`);
  const again = h("button.crm-button", {
    type: "button", onclick: () => { seed += 1; thrown = throwAll(seed); counts = null; draw(true); } }, "换一批人");
  const reset = h("button.crm-button.crm-reset", {
    type: "button", onclick: () => { seed = 1; thrown = throwAll(seed); step = steps.indexOf(board.sizes[0]); no = reply[0]; counts = null; draw(true); },
  }, "↺ 还原");
  const facts = Object.fromEntries(["margin", "spread", "centre"].map((name) => [name, h("output.crm-figure-number")]));
  const figure = (title, node) => h(".crm-figure", {}, h("span.crm-figure-title", {}, title), node);
  const news = h(".crm-news", { role: "status", "aria-live": "polite" });
  size.addEventListener("input", () => { step = Number(size.value); soon(); });
  quiet.addEventListener("input", () => { no = Number(quiet.value) / 100; counts = null; soon(); });
  for (const slider of [size, quiet]) slider.addEventListener("change", () => draw(true));

  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(false); }); };

  function draw(settled) {
    const centre = answeredShare(share, reply[0], no);
    counts ||= countUp(thrown, centre);
    const n = steps[step];
    const upTo = steps.slice(0, step + 1);
    lines.setAttribute("d", counts.map((yes) =>
      `M${upTo.map((s) => `${atX(s).toFixed(1)},${atY(yes[s] / s).toFixed(1)}`).join("L")}`).join(""));
    const results = counts.map((yes) => yes[n] / n);
    dots.forEach((dot, i) => { dot.setAttribute("cx", atX(n)); dot.setAttribute("cy", atY(results[i]).toFixed(1)); });
    cursor.setAttribute("x1", atX(n));
    cursor.setAttribute("x2", atX(n));
    const [low, high] = [Math.min(...results), Math.max(...results)];
    const off = centre - share;
    size.value = String(step);
    size.setAttribute("aria-valuetext", `${n} 份`);
    sizeNow.textContent = `${n} 份`;
    quiet.value = String(Math.round(no * 100));
    quietNow.textContent = percent(no);
    facts.margin.textContent = `±${(100 * marginOf(share, n, z)).toFixed(1)}`;
    facts.spread.textContent = `${percent(low)}—${percent(high)}`;
    facts.centre.textContent = percent(centre);
    root.dataset.bent = String(Math.abs(off) > 0.005);
    if (!settled) return;
    const steady = n >= 385 ? "不怎么抖了" : n >= 97 ? "还有点抖" : "抖得厉害";
    news.textContent = Math.abs(off) <= 0.005 ? `问 ${n} 家，得数${steady}，都围着真数转。`
      : `问 ${n} 家，得数${steady}，可是全歪到了 ${percent(centre)} 附近，比真数高 ${(100 * off).toFixed(0)} 个百分点。多发救不了。`;
    news.toggleAttribute("data-fallen", Math.abs(off) > 0.005);
    plot.setAttribute("aria-label", `60 次调研，每次 ${n} 家，得数从 ${percent(low)} 到 ${percent(high)}，真数 ${percent(share)}`);
  }

  const slide = (title, slider, now) => h("label.crm-slide", {}, h("span", {}, title), slider, now);
  const root = h("section.crm-look.crm-task.crm-board.crm-sample-board", { "aria-label": "样本板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "样本板：问多少，谁肯回"),
      h("span.crm-help", {}, `想知道“${board.ask}”的占几成。一条线是一次调研，一共 ${RUNS} 次。`), reset),
    h(".crm-inside", {},
      h(".crm-knobs", {},
        slide("收回多少份", size, sizeNow), h(".crm-jumps", {}, jump, again),
        slide("不满意的人，肯回的", quiet, quietNow), h(".crm-jumps", {}, h("span.crm-help", {}, `满意的人，肯回的一直是 ${percent(reply[0])}`), real)),
      news,
      h(".crm-sample-main", {}, plot, h(".crm-figures", {},
        figure("误差（百分点）", facts.margin), figure("60 次的得数", facts.spread), figure("围着哪里转", facts.centre)))));
  keepKeys(root);
  step = steps.indexOf(board.sizes[0]);
  draw(true);
  return root;
}

export default boardWidget(renderSample, { look: false });
