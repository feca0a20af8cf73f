// 流失规则板：拖规则，看四个数和钱。全在浏览器里算，和 crmlib/boards/churn_rule.py 说的一样。

const WHO = {
  customers: { unit: "家", gone: "后来真走了", stayed: "后来没走", flag: "报警", quiet: "没报警" },
  senders: { unit: "位", gone: "后来真没再来", stayed: "后来又下单了", flag: "判为走了", quiet: "判为没走" },
};
const CELLS = [["caught", "抓对"], ["wrong", "误判"], ["missed", "漏判"], ["right", "放对"]];

// ---- 算 ----

const isLit = (value, when, threshold) =>
  (when === "≥" ? value >= threshold : when === "<" ? value < threshold : value <= threshold);

/** 一条规则的四个数和钱；flags 给了，就顺手记下每一位报没报警。 */
function judgeRule(board, rule, flags) {
  const { signs, rows, costs } = board;
  const told = { caught: 0, wrong: 0, missed: 0, right: 0, money: 0 };
  const on = signs.map((sign, i) => [i, sign.when, rule.at[sign.id]]).filter(([i]) => rule.on[signs[i].id]);
  const place = signs.length;
  rows.forEach((row, n) => {
    let lit = 0;
    for (const [i, when, threshold] of on) lit += isLit(row[i], when, threshold) ? 1 : 0;
    const flagged = lit >= rule.least;
    const gone = row[place] === 1;
    told[flagged ? (gone ? "caught" : "wrong") : gone ? "missed" : "right"] += 1;
    if (flagged) told.money += (gone ? costs.save * (row[place + 1] - costs.offer) : -costs.offer) - costs.contact;
    if (flags) flags[n] = flagged;
  });
  return told;
}

// ---- 画 ----

const commas = new Intl.NumberFormat("zh-CN");
const whole = (x) => commas.format(Math.round(x) + 0).replace("-", "−");
const share = (a, b) => (b ? `${((100 * a) / b).toFixed(1)}%` : "—");
const SVG = "http://www.w3.org/2000/svg";
const line = (name, props) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  return node;
};

function renderBoard(board) {
  const say = WHO[board.who];
  const many = board.signs.length > 1;
  const gone = board.rows.map((row, n) => [row, n]).filter(([row]) => row[board.signs.length] === 1).map(([, n]) => n);
  const stayed = board.rows.map((row, n) => [row, n]).filter(([row]) => row[board.signs.length] === 0).map(([, n]) => n);
  const fresh = () => ({
    on: Object.fromEntries(board.signs.map((s) => [s.id, true])),
    at: Object.fromEntries(board.signs.map((s) => [s.id, s.start])), least: many ? 2 : 1,
  });
  let rule = fresh();
  let active = many ? "least" : board.signs[0].id;
  const flags = [];

  // -- 规则 --
  const controls = board.signs.map((sign) => {
    const box = h("input", { type: "checkbox", checked: true, "aria-label": `用“${sign.id}”这盏灯` });
    const value = h("output.crm-rule-value");
    const slider = h("input.crm-rule-slider", {
      type: "range", min: String(sign.min), max: String(sign.max), step: String(sign.step), "aria-label": sign.id });
    box.addEventListener("change", () => { rule.on[sign.id] = box.checked; active = sign.id; draw(true); });
    slider.addEventListener("input", () => { rule.at[sign.id] = Number(slider.value); active = sign.id; soon(); });
    slider.addEventListener("change", () => draw(true));
    const node = h(".crm-rule-sign", { "data-sign": sign.id },
      h("label.crm-rule-name", {}, many ? box : null, h("span", {}, sign.id), value), slider);
    return { sign, box, slider, value, node };
  });
  const least = h("input.crm-rule-slider", { type: "range", min: "1", max: "5", step: "1", "aria-label": "亮几盏就报警" });
  const leastValue = h("output.crm-rule-value");
  least.addEventListener("input", () => { rule.least = Number(least.value); active = "least"; soon(); });
  least.addEventListener("change", () => draw(true));
  const reset = h("button.crm-button.crm-rule-reset", {
    type: "button", onclick: () => { rule = fresh(); active = many ? "least" : board.signs[0].id; draw(true); } }, "↺ 还原");

  // -- 一位一个小方块 --
  const crowds = [["gone", gone], ["stayed", stayed]].map(([name, who]) => {
    const canvas = h("canvas", { role: "img" });
    const title = h("span.crm-rule-crowd-title");
    return { name, who, canvas, title, node: h(".crm-rule-crowd", { "data-crowd": name }, title, canvas) };
  });

  const crowdsBox = h(".crm-rule-crowds", {}, crowds.map((c) => c.node));

  // -- 四格 --
  const cells = Object.fromEntries(CELLS.map(([name, title]) => {
    const number = h("b.crm-rule-number");
    return [name, { number, node: h("td", { "data-cell": name }, number, h("span", {}, title)) }];
  }));
  const table = h("table.crm-rule-table", {},
    h("thead", {}, h("tr", {}, h("th"), h("th", { scope: "col" }, say.gone), h("th", { scope: "col" }, say.stayed))),
    h("tbody", {},
      h("tr", {}, h("th", { scope: "row" }, say.flag), cells.caught.node, cells.wrong.node),
      h("tr", {}, h("th", { scope: "row" }, say.quiet), cells.missed.node, cells.right.node)));
  const precision = h("b");
  const recall = h("b");
  const money = h("output.crm-rule-money");
  const spent = h("span.crm-rule-quiet");
  const news = h(".crm-unseen", { role: "status", "aria-live": "polite" });

  // -- 净赚随着正在拖的那个滑块变 --
  const path = line("path", { class: "crm-rule-path" });
  const zero = line("line", { class: "crm-rule-zero", x1: 0, x2: 420 });
  const dot = line("circle", { class: "crm-rule-dot", r: 6 });
  const chart = line("svg", { viewBox: "0 0 420 110", class: "crm-rule-chart", role: "img" });
  chart.append(zero, path, dot);
  const chartTitle = h("span.crm-rule-quiet");
  const low = h("span");
  const high = h("span");

  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(false); }); };

  let swept = {}; // 正在拖的那个滑块，别的都没动：整条曲线不用重算
  function sweep() {
    const others = JSON.stringify([active, rule.on, { ...rule.at, [active]: 0 }, active === "least" || rule.least]);
    const found = controls.find((c) => c.sign.id === active);
    const now = found ? rule.at[active] : rule.least;
    if (swept.others === others) return { ...swept, now };
    const { min, max, step } = found ? found.sign : { min: 1, max: 5, step: 1 };
    const points = [];
    for (let x = min; x <= max + 1e-9; x += step) {
      const trial = found ? { ...rule, at: { ...rule.at, [active]: x } } : { ...rule, least: x };
      points.push([x, judgeRule(board, trial).money]);
    }
    swept = { others, min, max, points };
    return { ...swept, now };
  }

  function draw(settled) {
    const told = judgeRule(board, rule, flags);
    for (const { sign, box, slider, value } of controls) {
      box.checked = rule.on[sign.id];
      slider.disabled = !rule.on[sign.id];
      slider.value = String(rule.at[sign.id]);
      value.textContent = rule.on[sign.id] ? `${sign.when} ${whole(rule.at[sign.id])} ${sign.unit}` : "不用";
      slider.setAttribute("aria-valuetext", value.textContent);
    }
    least.value = String(rule.least);
    leastValue.textContent = `${rule.least} 盏以上`;
    for (const [name] of CELLS) cells[name].number.textContent = whole(told[name]);
    const flagged = told.caught + told.wrong;
    precision.textContent = share(told.caught, flagged);
    recall.textContent = share(told.caught, told.caught + told.missed);
    money.textContent = `${whole(told.money)} 元`;
    money.dataset.sign = told.money < 0 ? "minus" : "plus";
    spent.textContent = many ? `上门 ${whole(flagged)} 家，花 ${whole(flagged * board.costs.contact)} 元`
      : `发 ${whole(flagged)} 张券，其中 ${whole(told.wrong)} 张白送了`;
    blocks ||= blockSize();
    const looks = getComputedStyle(root);
    for (const crowd of crowds) drawCrowd(crowd, told, looks);
    drawChart(told);
    if (settled) news.textContent = `抓对 ${told.caught}，误判 ${told.wrong}，漏判 ${told.missed}，净赚 ${money.textContent}`;
  }

  let blocks = null; // 宽度变了才重新量
  /** 两堆的方块一样大：走了的少、没走的多，一眼看得出。 */
  function blockSize() {
    const width = crowdsBox.clientWidth || 300;
    const height = 18 * parseFloat(getComputedStyle(crowdsBox).fontSize);
    const lines = (size) => crowds.reduce((sum, c) => sum + Math.ceil(c.who.length / Math.floor(width / size)), 0);
    let size = Math.sqrt((width * height) / board.rows.length);
    while (lines(size) * size > height) size *= 0.99;
    return { size, across: Math.floor(width / size), width };
  }

  function drawCrowd({ name, who, canvas, title }, told, looks) {
    const { size, across, width } = blocks;
    const lit = name === "gone" ? told.caught : told.wrong;
    title.textContent = `${say[name]} ${whole(who.length)} ${say.unit}，其中${say.flag} ${whole(lit)}`;
    canvas.setAttribute("aria-label", title.textContent);
    const height = Math.ceil(who.length / across) * size;
    const pen = cleanPen(canvas, width, height);
    const tone = looks.getPropertyValue(name === "gone" ? "--wrong" : "--partial").trim() || "#b3362a";
    const idle = looks.getPropertyValue("--line").trim() || "#d5dde6";
    const sorted = [...who.filter((n) => flags[n]), ...who.filter((n) => !flags[n])]; // 报警的排前面，好比多少
    sorted.forEach((n, i) => {
      pen.fillStyle = flags[n] ? tone : idle;
      pen.fillRect((i % across) * size, Math.floor(i / across) * size, size * 0.78, size * 0.78);
    });
  }

  function drawChart(told) {
    const { min, max, points, now } = sweep();
    const values = [...points.map(([, y]) => y), 0];
    const top = Math.max(...values);
    const bottom = Math.min(...values);
    const x = (v) => 8 + (404 * (v - min)) / (max - min);
    const y = (v) => 100 - (90 * (v - bottom)) / (top - bottom || 1);
    path.setAttribute("d", points.map(([a, b], i) => `${i ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join(""));
    zero.setAttribute("y1", y(0));
    zero.setAttribute("y2", y(0));
    dot.setAttribute("cx", x(now));
    dot.setAttribute("cy", y(told.money));
    chartTitle.textContent = `拖“${active === "least" ? "亮几盏就报警" : active}”，净赚怎样变（虚线是 0）`;
    chart.setAttribute("aria-label", `${chartTitle.textContent}：最高 ${whole(top)} 元，现在 ${whole(told.money)} 元`);
    low.textContent = whole(min);
    high.textContent = whole(max);
  }

  const title = many ? "流失规则板：五盏灯" : "流失规则板：几天没下单，算走了";
  const root = h("section.crm-look.crm-task.crm-rule", { "aria-label": title },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, title), reset),
    h(".crm-inside", {},
      h(".crm-rule-signs", {}, controls.map((c) => c.node), many ? h(".crm-rule-sign.crm-rule-least", { "data-sign": "least" },
        h("label.crm-rule-name", {}, h("span", {}, "亮几盏就报警"), leastValue), least) : null),
      h(".crm-rule-main", {},
        crowdsBox,
        h(".crm-rule-side", {}, table,
          h(".crm-rule-rates", {},
            h("span", {}, `${say.flag}的里面，真走的占 `, precision), h("span", {}, "真走的里面，抓到了 ", recall)),
          h(".crm-rule-result", {}, h("span", {}, "净赚"), money, spent),
          h(".crm-rule-sweep", {}, chartTitle, chart, h(".crm-rule-ends", { "aria-hidden": "true" }, low, high)))),
      news));
  keepKeys(root);
  const resized = new ResizeObserver(() => { blocks = null; draw(false); });
  resized.observe(crowdsBox);
  draw(false);
  return { root, stop: () => resized.disconnect() };
}

export default boardWidget(renderBoard, { look: false });
