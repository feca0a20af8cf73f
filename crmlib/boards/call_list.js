// 上门名单板：拖预算、换排法，看去谁那里、值多少。全在浏览器里算，和 crmlib/boards/call_list.py 说的一样。

const commas = new Intl.NumberFormat("zh-CN");
const whole = (x) => commas.format(Math.round(x) + 0).replace("-", "−");
const percent = (x) => `${(100 * x).toFixed(0)}%`;
const SVG = "http://www.w3.org/2000/svg";
const shape = (name, props) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  return node;
};
const SHOWN = 60; // 名单最多列出几行；其余只计数

const gainOf = (board, row) => row.chance * board.save * row.margin - board.cost;

function sortedBy(board, order) {
  const by = { worth: (row) => gainOf(board, row), chance: (row) => row.chance, margin: (row) => row.margin }[order];
  return [...board.rows].sort((a, b) => by(b) - by(a) || (a.id < b.id ? -1 : 1));
}

function renderBoard(board) {
  const orders = Object.keys(board.orders);
  const lists = Object.fromEntries(orders.map((order) => {
    const rows = sortedBy(board, order);
    let sum = 0;
    return [order, { rows, sums: [0, ...rows.map((row) => (sum += gainOf(board, row)))] }];
  }));
  const left = new Set(board.left);
  let budget = board.budget;
  let order = "chance";
  let opened = false;
  const most = Math.floor(board.top / board.cost);

  const slider = h("input.crm-list-slider", {
    type: "range", min: "0", max: String(board.top), step: String(board.cost), "aria-label": "预算" });
  const value = h("output.crm-list-value");
  slider.addEventListener("input", () => { budget = Number(slider.value); soon(); });
  slider.addEventListener("change", () => draw(true));
  const picks = orders.map((name) => {
    const input = h("input", { type: "radio", name: `order-${Math.random()}`, value: name });
    input.addEventListener("change", () => { order = name; for (const p of picks) p.input.checked = p.name === order; draw(true); });
    return { name, input, node: h("label.crm-list-pick", {}, input, board.orders[name]) };
  });
  const reveal = h("button.crm-button.crm-list-reveal", {
    type: "button", "aria-pressed": "false", onclick: () => { opened = !opened; draw(true); } }, "翻开 3 月底的结果");
  const reset = h("button.crm-button.crm-list-reset", {
    type: "button", onclick: () => { budget = board.budget; order = "chance"; opened = false; draw(true); } }, "↺ 还原");

  const W = 560;
  const H = 230;
  const chart = shape("svg", { viewBox: `0 0 ${W} ${H}`, class: "crm-list-chart", role: "img" });
  const values = orders.flatMap((name) => lists[name].sums.slice(0, most + 1));
  const [top, bottom] = [Math.max(...values, 1), Math.min(...values, 0)];
  const x = (n) => 8 + ((W - 16) * n) / most;
  const y = (v) => H - 12 - ((H - 24) * (v - bottom)) / (top - bottom);
  chart.append(shape("line", { class: "crm-list-zero", x1: 0, x2: W, y1: y(0), y2: y(0) }));
  const curves = Object.fromEntries(orders.map((name) => {
    const d = lists[name].sums.slice(0, most + 1).map((v, n) => `${n ? "L" : "M"}${x(n).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    const curve = shape("path", { class: "crm-list-curve", "data-order": name, d });
    chart.append(curve);
    return [name, curve];
  }));
  const mark = shape("line", { class: "crm-list-mark", y1: 0, y2: H });
  const dot = shape("circle", { class: "crm-list-dot", r: 6 });
  chart.append(mark, dot);

  const total = h("output.crm-list-total");
  const detail = h("span.crm-list-quiet");
  const peak = h("span.crm-list-quiet");
  const found = h(".crm-list-found");
  const news = h(".crm-unseen", { role: "status", "aria-live": "polite" });
  const body = h("tbody");
  const more = h("span.crm-list-quiet");

  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(false); }); };

  function draw(settled) {
    const n = Math.min(Math.floor(budget / board.cost), board.rows.length);
    const { rows, sums } = lists[order];
    const chosen = rows.slice(0, n);
    slider.value = String(budget);
    value.textContent = `${whole(budget)} 元，去 ${n} 家`;
    slider.setAttribute("aria-valuetext", value.textContent);
    for (const pick of picks) pick.input.checked = pick.name === order;
    for (const name of orders) curves[name].toggleAttribute("data-chosen", name === order);
    chart.append(curves[order], mark, dot); // 选中的画在最上面
    mark.setAttribute("x1", x(n));
    mark.setAttribute("x2", x(n));
    dot.setAttribute("cx", x(n));
    dot.setAttribute("cy", y(sums[n]));
    total.textContent = `${whole(sums[n])} 元`;
    total.dataset.sign = sums[n] < 0 ? "minus" : "plus";
    const loss = chosen.filter((row) => gainOf(board, row) < 0).length;
    detail.textContent = loss ? `其中 ${loss} 家去了反而亏` : n ? "没有一家去了会亏" : "";
    const best = sums.slice(0, most + 1).indexOf(Math.max(...sums.slice(0, most + 1)));
    peak.textContent = `这种排法，去到第 ${best} 家最划算`;
    chart.setAttribute("aria-label", `${board.orders[order]}，去 ${n} 家，预期净值合计 ${total.textContent}；${peak.textContent}`);
    reveal.setAttribute("aria-pressed", String(opened));
    reveal.textContent = opened ? "合上 3 月底的结果" : "翻开 3 月底的结果";
    found.hidden = !opened;
    const gone = chosen.filter((row) => left.has(row.id)).length;
    found.textContent = opened ? `到 2026 年 3 月底，已经走了 ${left.size} 家；这 ${n} 家里有 ${gone} 家。` : "";
    body.replaceChildren(...chosen.slice(0, SHOWN).map((row, i) => {
      const gain = gainOf(board, row);
      return h("tr", { "data-loss": gain < 0, "data-gone": opened && left.has(row.id) },
        h("td", {}, String(i + 1)), h("td", { title: row.name }, `${row.id} ${row.region}`),
        h("td", {}, percent(row.chance)), h("td", {}, whole(row.margin)), h("td", {}, whole(gain)),
        opened ? h("td", {}, left.has(row.id) ? "走了" : "") : null);
    }));
    head.replaceChildren(...["", "客户", "流失概率", "年毛利（元）", "预期净值（元）", ...(opened ? ["3 月底"] : [])]
      .map((text) => h("th", { scope: "col" }, text)));
    more.textContent = n > SHOWN ? `后面还有 ${n - SHOWN} 家` : "";
    if (settled) news.textContent = `${board.orders[order]}，去 ${n} 家，合计 ${total.textContent}。${found.textContent}`;
  }

  const head = h("tr");
  const root = h("section.crm-look.crm-task.crm-list", { "aria-label": "上门名单板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "上门名单板"),
      h("span.crm-help", {}, `每家 ${whole(board.cost)} 元；真要走的，留得住 ${percent(board.save)}`), reset),
    h(".crm-inside", {},
      h(".crm-list-controls", {},
        h("label.crm-list-budget", {}, h("span", {}, "预算"), slider, value),
        h(".crm-list-picks", { role: "radiogroup", "aria-label": "怎样排" }, picks.map((p) => p.node)), reveal),
      h(".crm-list-main", {},
        h(".crm-list-left", {},
          h(".crm-list-result", {}, h("span", {}, "预期净值合计"), total, detail),
          chart, h(".crm-list-ends", { "aria-hidden": "true" }, h("span", {}, "去 0 家"), h("span", {}, `去 ${most} 家`)),
          h(".crm-list-legend", {}, orders.map((name) => h("span", { "data-order": name }, board.orders[name]))), peak, found),
        h(".crm-list-rows", { tabindex: "0", role: "region", "aria-label": "名单" },
          h("table.crm-list-table", {}, h("thead", {}, head), body), more)),
      news));
  keepKeys(root);
  draw(false);
  return root;
}

export default boardWidget(renderBoard, { look: false });
