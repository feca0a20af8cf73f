// SWOT 权重板：四格、两个总分、IE 矩阵、策略的依据。全在浏览器里算，和 crmlib/boards/swot.py 说的一样。

const GROUPS = { S: "优势", W: "劣势", O: "机会", T: "威胁" };
const SIDES = { inside: "内部", outside: "外部" };
const CELLS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"];
const ADVICE = ["grow", "grow", "hold", "grow", "hold", "leave", "hold", "leave", "leave"];
const ADVICE_TEXT = { grow: "增长和建设", hold: "坚持和保持", leave: "收割或剥离" };

// ---- 算 ----

/** 翻开几件事以后的卡片 {id: 卡}；不再成立的卡，group 是 "gone"，权重分给同一边的别的卡。 */
function turnCards(board, weights, titles) {
  const cards = {};
  for (const card of board.cards) cards[card.id] = { ...card, weight: weights[card.id], was: card.group, why: [] };
  for (const flip of board.flips) {
    if (!titles.has(flip.title)) continue;
    for (const [id, group] of Object.entries(flip.turns)) {
      const card = cards[id];
      if (card.side === "inside" && group && group !== card.group) card.rating = 5 - card.rating;
      card.group = group || "gone";
      card.why.push(flip.title);
    }
  }
  for (const side of Object.keys(SIDES)) {
    const own = Object.values(cards).filter((c) => c.side === side);
    const left = own.reduce((sum, c) => sum + (c.group === "gone" ? 0 : c.weight), 0);
    for (const card of own) card.weight = left && card.group !== "gone" ? card.weight / left : 0;
  }
  return cards;
}

function scoreOf(cards, side) {
  return Object.values(cards).reduce((sum, c) => sum + (c.side === side ? c.weight * c.rating : 0), 0);
}

/** 改一个权重，同一边其余的按 from 里的比例分剩下的；其余都是 0 就平分。 */
function reweigh(board, from, id, weight) {
  const side = board.cards.find((c) => c.id === id).side;
  const others = board.cards.filter((c) => c.side === side && c.group && c.id !== id).map((c) => c.id);
  const rest = others.reduce((sum, other) => sum + from[other], 0);
  const after = { ...from, [id]: weight };
  for (const other of others) after[other] = (1 - weight) * (rest ? from[other] / rest : 1 / others.length);
  return after;
}

/** 一条策略两边还剩哪些依据。 */
function supportOf(strategy, cards) {
  const sides = {};
  Object.keys(SIDES).forEach((side, place) => {
    const own = strategy.cards.map((id) => cards[id]).filter((c) => c.side === side);
    const good = own.filter((c) => c.group === null || c.group === strategy.id[place]);
    sides[side] = { own, good, needs: GROUPS[strategy.id[place]] };
  });
  return { ...sides, stands: Object.values(sides).every((s) => s.good.length) };
}

const lostAs = (card, needs) =>
  (card.group === "gone" ? "没有了" : card.group === card.was ? `不是${needs}` : `不再是${needs}`);
const whyLost = ({ own, needs }) => own.map((card) => `“${card.title}”${lostAs(card, needs)}`);

function ieCell(inside, outside) {
  const column = (score) => (score < 3 - 1e-9) + (score < 2 - 1e-9); // 压线的算高的那一边
  return 3 * column(outside) + column(inside);
}

// ---- 画 ----

/** 只在真的变了时才写进页面：一次重画只动几个地方，跟得上手。 */
function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function putStyle(node, name, value) {
  if (node.style.getPropertyValue(name) !== value) node.style.setProperty(name, value);
}
function putAttribute(node, name, value) {
  if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** 4 分在左边、上边，1 分在右边、下边：IE 矩阵的惯例。 */
const atScore = (score) => `${(100 * (4 - Math.min(4, Math.max(1, score)))) / 3}%`;
function renderBoard(board) {
  const none = new Set();
  const start = Object.fromEntries(board.cards.map((c) => [c.id, c.weight]));
  const before = turnCards(board, start, none);
  const was = { inside: scoreOf(before, "inside"), outside: scoreOf(before, "outside") };
  const stood = new Map(board.strategies.map((s) => [s.id, supportOf(s, before).stands]));
  const widest = Math.max(...board.cards.map((c) => c.weight), 0.01);
  const share = (card) => `${Math.min(100, (100 * card.weight) / widest).toFixed(1)}%`; // 底色有多长

  let weights = start;
  let base = start; // 拖动开始时的权重：拖到头再拖回来，别的权重也回得来
  let flipped = new Set();
  let chosen = board.cards.filter((c) => c.group).sort((a, b) => b.weight - a.weight)[0].id;

  // -- 翻牌 --
  const switches = board.flips.map((flip) => h("button.crm-flip", {
    type: "button", role: "switch", "aria-checked": "false",
    onclick: () => {
      flipped = new Set(flipped);
      if (!flipped.delete(flip.title)) flipped.add(flip.title);
      draw(true);
    },
  }, h("span.crm-knob", { "aria-hidden": "true" }), flip.title));
  const reset = h("button.crm-button.crm-reset", {
    type: "button", onclick: () => { weights = base = start; flipped = none; draw(true); },
  }, "↺ 还原");
  const news = h(".crm-news", { role: "status", "aria-live": "polite" });

  // -- 四格 --
  const rows = {};
  for (const card of board.cards.filter((c) => c.group)) {
    const parts = { title: h("span.crm-factor-title"), weight: h("span.crm-number"), dots: h("span.crm-dots") };
    rows[card.id] = { ...parts, node: h("button.crm-factor", {
      type: "button", "data-card": card.id, onclick: () => choose(card.id), onfocus: () => choose(card.id),
    }, parts.title, parts.weight, parts.dots) };
  }
  const piles = Object.fromEntries(Object.keys(GROUPS).map((g) => [g, h(".crm-factors")]));
  const totals = Object.fromEntries(Object.keys(GROUPS).map((g) => [g, h("span.crm-number")]));
  const quadrants = h(".crm-quadrants", {}, Object.entries(GROUPS).map(([g, title]) =>
    h("section.crm-quadrant", { "data-group": g, "aria-label": title },
      h(".crm-quadrant-head", {}, h("span", {}, `${g} ${title}`), totals[g], h("span", {}, "评分")), piles[g])));
  quadrants.addEventListener("keydown", (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step) return;
    const order = [...quadrants.querySelectorAll(".crm-factor")];
    const next = order[order.indexOf(document.activeElement) + step];
    if (next) { e.preventDefault(); next.focus(); }
  });

  // -- 选中的因素和滑块 --
  const slider = h("input.crm-slider", { type: "range", min: "0", max: "1", step: "0.01" });
  const detail = {
    title: h("b"), number: h("output.crm-number"), lines: h("span.crm-lines"),
  };
  const panel = h(".crm-detail", {},
    h(".crm-detail-text", {}, detail.title, detail.lines),
    h("label.crm-weigh", {}, h("span", {}, "权重"), slider, detail.number));
  slider.addEventListener("input", () => { weights = reweigh(board, base, chosen, Number(slider.value)); soon(); });
  slider.addEventListener("change", () => draw(true));

  // -- 两个总分和 IE 矩阵 --
  const figures = Object.fromEntries(Object.entries(SIDES).map(([side, title]) => {
    const number = h("output.crm-figure-number");
    const level = h("span.crm-figure-level");
    return [side, { number, level, node: h(".crm-figure", {},
      h("span.crm-figure-title", {}, `${title}总分 ${side === "inside" ? "IFE" : "EFE"}`), number, level) }];
  }));
  const cells = CELLS.map((name, place) => h(".crm-ie-cell", { "data-advice": ADVICE[place] }, name));
  const point = h(".crm-ie-point");
  const ghost = h(".crm-ie-point.crm-ie-ghost");
  const advice = h(".crm-ie-advice");
  const matrix = h(".crm-ie", { role: "img" },
    h(".crm-ie-top", {}, "内部 IFE（强 → 弱）"),
    h(".crm-ie-left", {}, "外部 EFE（好 → 差）"),
    h(".crm-ie-grid", {}, cells, [2, 3].flatMap((cut) => ["left", "top"].map((edge) =>
      h("span.crm-ie-cut", { "data-edge": edge, style: `${edge}:${atScore(cut)}` }, String(cut)))), ghost, point));

  // -- 策略 --
  const strategies = board.strategies.map((strategy) => {
    const sides = Object.fromEntries(Object.keys(SIDES).map((side) => [side, h(".crm-support")]));
    const verdict = h("b.crm-stand");
    const node = h("article.crm-strategy", { "data-strategy": strategy.id, "aria-label": strategy.title },
      h(".crm-strategy-head", {}, h("span.crm-lamp", { "aria-hidden": "true" }), h("b", {}, strategy.title),
        h("span.crm-mix", {}, strategy.how), verdict),
      h(".crm-plan", {}, strategy.plan || "（还没有写）"), sides.inside, sides.outside);
    return { strategy, node, sides, verdict };
  });

  // -- 更新 --
  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(false); }); };

  function choose(id) {
    if (id === chosen) return;
    chosen = id;
    base = weights;
    draw(false);
  }

  function place(cards) { // 换格子、重排：拖动时不做，免得行在手底下跳
    const active = document.activeElement;
    for (const [g, pile] of Object.entries(piles)) {
      const ids = Object.keys(rows).filter((id) => (cards[id].group === "gone" ? cards[id].was : cards[id].group) === g);
      ids.sort((a, b) => cards[b].weight - cards[a].weight);
      pile.replaceChildren(...ids.map((id) => rows[id].node));
    }
    if (quadrants.contains(active) && active !== document.activeElement) active.focus();
  }

  function draw(settled) {
    const cards = turnCards(board, weights, flipped);
    if (settled) { place(cards); base = weights; }
    for (const [id, row] of Object.entries(rows)) drawRow(cards[id], row);
    for (const [g, total] of Object.entries(totals)) {
      const sum = Object.values(cards).reduce((s, c) => s + (c.group === g ? c.weight : 0), 0);
      put(total, `权重合计 ${sum.toFixed(2)}`);
    }
    drawDetail(cards[chosen]);
    const now = { inside: scoreOf(cards, "inside"), outside: scoreOf(cards, "outside") };
    for (const [side, figure] of Object.entries(figures)) drawFigure(figure, now[side], was[side]);
    drawMatrix(now);
    const fallen = strategies.filter((s) => drawStrategy(s, cards) === "fallen");
    reset.disabled = weights === start && !flipped.size;
    switches.forEach((node, i) => putAttribute(node, "aria-checked", String(flipped.has(board.flips[i].title))));
    if (settled) drawNews(fallen, cards, now);
  }

  function drawRow(card, { node, title, weight, dots }) {
    const gone = card.group === "gone";
    const turned = !gone && card.group !== card.was;
    put(title, turned ? `${card.why.join("、")}（原：${card.title}）` : card.title);
    put(weight, gone ? "没有了" : card.weight.toFixed(2));
    put(dots, gone ? "" : "●".repeat(Math.round(card.rating)) + "○".repeat(4 - Math.round(card.rating)));
    putStyle(node, "--share", share(card));
    putAttribute(node, "data-state", gone ? "gone" : turned ? "turned" : "");
    putAttribute(node, "aria-pressed", String(card.id === chosen));
    putAttribute(node, "tabindex", card.id === chosen ? "0" : "-1");
    putAttribute(node, "aria-label", gone ? `${card.title}，没有了`
      : `${title.textContent}，${GROUPS[card.group]}，权重 ${card.weight.toFixed(2)}，评分 ${trim(card.rating)}`);
  }

  function drawDetail(card) {
    const gone = card.group === "gone";
    const state = gone ? `${card.why.join("、")}：这件事没有了`
      : card.group !== card.was ? `${card.why.join("、")}：从${GROUPS[card.was]}变成${GROUPS[card.group]}` : "";
    put(detail.title, card.title);
    put(detail.lines, [state, ...card.lines].filter(Boolean).join("。"));
    put(detail.number, `${card.weight.toFixed(2)}，评分 ${trim(card.rating)}`);
    slider.disabled = gone;
    slider.value = String(weights[card.id]);
    putAttribute(slider, "aria-label", `${card.title}的权重`);
    putAttribute(slider, "aria-valuetext", card.weight.toFixed(2));
  }

  function drawFigure({ node, number, level }, now, before) {
    const high = now >= 2.5 - 1e-9;
    const moved = Math.abs(now - before) < 0.005 ? "" : `，${now > before ? "＋" : "−"}${Math.abs(now - before).toFixed(2)}`;
    put(number, now.toFixed(2));
    put(level, `${high ? "不低于" : "低于"}中间值 2.5${moved}`);
    putAttribute(node, "data-level", high ? "high" : "low");
  }

  function drawMatrix(now) {
    for (const [node, score] of [[point, now], [ghost, was]]) {
      putStyle(node, "left", atScore(score.inside));
      putStyle(node, "top", atScore(score.outside));
    }
    ghost.hidden = Math.hypot(now.inside - was.inside, now.outside - was.outside) < 0.02;
    const cell = ieCell(now.inside, now.outside);
    cells.forEach((node, i) => node.toggleAttribute("data-here", i === cell));
    put(advice, `IE 矩阵第 ${CELLS[cell]} 格：${ADVICE_TEXT[ADVICE[cell]]}`);
    putAttribute(matrix, "aria-label", `IE 矩阵，点在第 ${CELLS[cell]} 格`);
  }

  function drawStrategy({ strategy, node, sides, verdict }, cards) {
    const support = supportOf(strategy, cards);
    let lost = 0;
    for (const [side, title] of Object.entries(SIDES)) {
      const { own, good, needs } = support[side];
      lost += own.length - good.length;
      const looks = own.map((c) => c.group).join();
      if (sides[side].dataset.looks !== looks) {
        sides[side].dataset.looks = looks;
        sides[side].replaceChildren(h("span.crm-support-side", {}, title),
          ...own.flatMap((c) => (good.includes(c)
            ? [h("span.crm-pill", { "data-card": c.id, "data-group": c.group }, c.title)]
            : [h("span.crm-pill", { "data-card": c.id, "data-lost": "" }, c.title), h("span.crm-lost", {}, lostAs(c, needs))])),
          own.length || !strategy.plan ? (good.length === 1 ? h("span.crm-support-side", {}, "只靠这张") : "") : h("span.crm-lost", {}, `还没有${needs}`));
      }
      for (const pill of sides[side].querySelectorAll(".crm-pill")) putStyle(pill, "--share", share(cards[pill.dataset.card]));
    }
    const state = support.stands ? (lost ? "weak" : "on") : stood.get(strategy.id) ? "fallen" : strategy.plan ? "off" : "blank";
    put(verdict, { on: "站得住", weak: "少一张依据", fallen: "站不住", off: "缺依据", blank: "还没写" }[state]);
    putAttribute(node, "data-state", state);
    return state;
  }

  function drawNews(fallen, cards, now) {
    const moves = Object.keys(SIDES).filter((s) => Math.abs(now[s] - was[s]) >= 0.005)
      .map((s) => `${SIDES[s]}总分 ${was[s].toFixed(2)} → ${now[s].toFixed(2)}`);
    const lines = fallen.map(({ strategy }) => {
      const lost = Object.values(supportOf(strategy, cards)).filter((s) => s.good && !s.good.length).flatMap(whyLost);
      return `${strategy.title}灯灭了：${lost.join("，")}`;
    });
    if (flipped.size) {
      if (!lines.length && strategies.length) lines.push("没有哪条策略的灯因此灭掉");
      news.textContent = `${[...lines, moves.length ? moves.join("，") : "两个总分都没有变"].join("。")}。`;
    } else if (weights !== start) {
      news.textContent = moves.length ? `${moves.join("，")}。` : "总分没有变。";
    } else {
      news.textContent = board.flips.length ? "翻开一件事，看哪条策略的灯灭。"
        : "点一个因素，拖动它的权重：别的按比例让位，看总分过不过 2.5。";
    }
    news.toggleAttribute("data-fallen", fallen.length > 0);
  }

  const root = h("section.crm-look.crm-task.crm-board", { "aria-label": "SWOT 权重板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "SWOT 权重板"),
      h("span.crm-help", {}, board.notices.join("")), reset),
    h(".crm-inside", {},
      h(".crm-what-if", {}, board.flips.length ? h("span", {}, "假如") : null, switches, news),
      strategies.length ? h(".crm-strategies", {}, strategies.map((s) => s.node)) : null,
      h(".crm-board-main", {}, quadrants, h(".crm-scores", {}, figures.inside.node, figures.outside.node, matrix, advice)),
      panel));
  keepKeys(root);
  draw(true);
  return root;
}

export default boardWidget(renderBoard);
