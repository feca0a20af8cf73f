// 两两比板：格子里点谁更要紧，权重、绕圈的三个、十二家的名次跟着变。算法和 crmlib/boards/pairwise.py 一样。

const RANDOM = [0, 0, 0, 0.58, 0.9, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49];
const TIMES = [9, 7, 5, 3, 1, 1 / 3, 1 / 5, 1 / 7, 1 / 9];
const timesText = (x) => (x >= 1 ? String(Math.round(x)) : `1/${Math.round(1 / x)}`);

/** 一对一对的判断 → 方阵。flip：反过来那一格怎么算。 */
function square(n, pairs, flip, same) {
  const m = Array.from({ length: n }, () => Array(n).fill(same));
  let at = 0;
  for (let i = 0; i < n; i += 1) for (let j = i + 1; j < n; j += 1) { m[i][j] = pairs[at]; m[j][i] = flip(pairs[at]); at += 1; }
  return m;
}

function byWins(names, wins) {
  const n = names.length;
  const m = square(n, wins, (w) => 1 - w, 0);
  const scores = m.map((row) => row.reduce((a, b) => a + b, 0));
  const total = scores.reduce((a, b) => a + b, 0);
  const circles = [];
  for (let i = 0; i < n; i += 1) for (let j = i + 1; j < n; j += 1) for (let k = j + 1; k < n; k += 1) {
    if (m[i][j] !== 0.5 && m[i][j] === m[j][k] && m[j][k] === m[k][i]) circles.push(m[i][j] ? [i, j, k] : [i, k, j]);
  }
  const most = n % 2 ? (n ** 3 - n) / 24 : (n ** 3 - 4 * n) / 24;
  return { scores, weights: scores.map((s) => s / total), circles, consistence: 1 - circles.length / most };
}

function byTimes(names, times) {
  const n = names.length;
  const m = square(n, times, (x) => 1 / x, 1);
  let w = Array(n).fill(1 / n);
  let lambda = n;
  for (let turn = 0; turn < 200; turn += 1) { // 乘方法：几十轮就到
    const next = m.map((row) => row.reduce((sum, x, j) => sum + x * w[j], 0));
    lambda = next.reduce((a, b) => a + b, 0);
    w = next.map((x) => x / lambda);
  }
  const cr = Math.max(0, (lambda - n) / (n - 1)) / RANDOM[n];
  let worst = null;
  for (let i = 0; i < n; i += 1) for (let j = i + 1; j < n; j += 1) {
    const off = Math.abs(Math.log((m[i][j] * w[j]) / w[i]));
    if (!worst || off > worst.off + 1e-12) worst = { off, i, j, said: m[i][j], implied: w[i] / w[j] };
  }
  return { weights: w, cr, worst };
}

function ranked(board, weights) {
  return Object.entries(board.points)
    .map(([id, points]) => ({ id, score: points.reduce((sum, p, k) => sum + p * weights[k], 0) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

function renderPairwise(board) {
  const { names } = board;
  const n = names.length;
  let mode = board.mode;
  let wins = [...board.wins];
  let times = [...board.times];
  const place = (i, j) => (i * (2 * n - i - 1)) / 2 + (j - i - 1);

  const cells = {};
  const back = {};
  const scoreCells = names.map(() => h("td.crm-sum"));
  const weightCells = names.map(() => h("td.crm-weight"));
  const body = h("tbody", {}, names.map((row, i) => h("tr", {}, h("th", { scope: "row" }, row),
    names.map((column, j) => {
      if (i === j) return h("td.crm-same", {}, "—");
      if (i > j) return (back[`${i}${j}`] = h("td.crm-back"));
      const button = h("button.crm-judge", { type: "button", onclick: () => {
        const at = place(i, j);
        wins[at] = { 1: 0, 0: 0.5, 0.5: 1 }[wins[at]];
        draw();
      } });
      const select = h("select.crm-times", { "aria-label": `${row}的要紧程度是${column}的几倍`, onchange: (e) => {
        times[place(i, j)] = TIMES[e.target.selectedIndex];
        draw();
      } }, TIMES.map((x) => h("option", {}, timesText(x))));
      cells[`${i}${j}`] = { button, select, row, column };
      return h("td", {}, button, select);
    }), scoreCells[i], weightCells[i])));
  const sumHead = h("th", { scope: "col" }, "得分");
  const table = h("table.crm-pairs", {}, h("thead", {}, h("tr", {}, h("td", {}), names.map((name) => h("th", { scope: "col" }, name)),
    sumHead, h("th", { scope: "col" }, "权重"))), body);
  const news = h(".crm-news", { role: "status", "aria-live": "polite" });
  const list = h("ol.crm-ranks");
  const switches = [["win", "谁更要紧"], ["ahp", "要紧几倍（AHP）"]].map(([m, title]) => h("button.crm-button", {
    type: "button", "data-mode": m, onclick: () => { mode = m; draw(); } }, title));
  const reset = h("button.crm-button.crm-reset", { type: "button", onclick: () => {
    wins = [...board.wins]; times = [...board.times]; mode = board.mode; draw(); } }, "↺ 还原");
  const help = h("span.crm-help");

  function draw() {
    const ahp = mode === "ahp";
    const found = ahp ? byTimes(names, times) : byWins(names, wins);
    const hot = new Set();
    for (const circle of found.circles || []) circle.forEach((a, k) => {
      const b = circle[(k + 1) % 3];
      hot.add(`${Math.min(a, b)}${Math.max(a, b)}`);
    });
    if (ahp && found.cr >= 0.1) hot.add(`${found.worst.i}${found.worst.j}`);
    for (const [key, { button, select, row, column }] of Object.entries(cells)) {
      const at = place(Number(key[0]), Number(key[1]));
      button.hidden = ahp;
      select.hidden = !ahp;
      button.textContent = trim(wins[at]);
      button.setAttribute("aria-label", wins[at] === 0.5 ? `${row}和${column}一样要紧` : `${wins[at] ? row : column}比${wins[at] ? column : row}要紧`);
      select.selectedIndex = TIMES.findIndex((x) => Math.abs(x - times[at]) < 1e-9);
      for (const node of [button, select, back[key[1] + key[0]]]) node.toggleAttribute("data-hot", hot.has(key));
      back[key[1] + key[0]].textContent = ahp ? timesText(1 / times[at]) : trim(1 - wins[at]);
    }
    sumHead.hidden = ahp;
    names.forEach((_, i) => {
      scoreCells[i].hidden = ahp;
      scoreCells[i].textContent = ahp ? "" : trim(found.scores[i]);
      weightCells[i].textContent = found.weights[i].toFixed(3);
      weightCells[i].style.setProperty("--share", `${(100 * found.weights[i]).toFixed(1)}%`);
    });
    switches.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.mode === mode)));
    help.textContent = ahp ? "行比列要紧几倍：3 略要紧，5 明显，7 很，9 极；1/3 反过来。" : "行比列要紧填 1，列更要紧填 0，一样 0.5。点一点就换。";
    let said;
    if (ahp) {
      said = `CR = ${found.cr.toFixed(3)}，${found.cr < 0.1 ? "小于 0.1，前后说得通。"
        : `不小于 0.1。最拧的一格：${names[found.worst.i]}比${names[found.worst.j]}填了 ${timesText(found.worst.said)} 倍，照别的格推算，约 ${found.worst.implied.toFixed(1)} 倍。`}`;
      news.toggleAttribute("data-fallen", found.cr >= 0.1);
    } else {
      said = found.circles.length
        ? `绕成圈 ${found.circles.length} 个：${found.circles.map(([a, b, c]) => `${names[a]}胜${names[b]}、${names[b]}胜${names[c]}、${names[c]}又胜${names[a]}`).join("；")}。判断一致系数 ${found.consistence.toFixed(2)}。`
        : "没有绕圈，判断一致系数 1。";
      news.toggleAttribute("data-fallen", found.circles.length > 0);
    }
    news.textContent = said;
    list.replaceChildren(...ranked(board, found.weights).map(({ id, score }, k) => {
      const gap = board.rank[id] - (k + 1);
      return h("li.crm-rank", { title: board.titles[id], "data-in": k < board.seats && "", "data-far": Math.abs(gap) >= 4 && "" },
        h("b", {}, String(k + 1)), h("span", {}, id), h("span.crm-score", {}, score.toFixed(1)),
        h("span.crm-was", {}, `按贡献第 ${board.rank[id]}${gap ? (gap > 0 ? `，升 ${gap}` : `，降 ${-gap}`) : ""}`));
    }));
  }

  const root = h("section.crm-look.crm-task.crm-board.crm-pairwise-board", { "aria-label": "两两比板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "两两比板：谁更要紧"),
      h("span.crm-jumps", { role: "group", "aria-label": "怎么比" }, switches), reset),
    h(".crm-inside", {}, board.notices.map((text) => h(".crm-trouble", { "data-state": "notice" }, text)),
      h(".crm-pair-main", {}, h("div", {}, help, h(".crm-scroll", {}, table), news),
        h("div", {}, h("span.crm-help", {}, `综合名次；前 ${board.seats} 名进名单，升降 4 名以上的加粗：`), list))));
  keepKeys(root);
  draw();
  return root;
}

export default boardWidget(renderPairwise, { look: false });
