// 洽谈板：配一套条件，看两边的分、可谈的组合、有效边界；两人对谈时当书记员。和 crmlib/boards/negotiation.py 算得一样。

const SVG = "http://www.w3.org/2000/svg";
const MARKS = ["●", "■"];
const END = { deal: "谈成", none: "没谈成" };

// ---- 算 ----

const round2 = (x) => Math.round(x * 100) / 100;
const pointsOf = (board, pick) => [0, 1].map((side) =>
  round2(pick.reduce((sum, place, i) => sum + board.issues[i].options[place].points[side], 0)));

function everyPackage(board) {
  let picks = [[]];
  for (const issue of board.issues) picks = picks.flatMap((p) => issue.options.map((_, place) => [...p, place]));
  return picks.map((pick) => ({ pick, points: pointsOf(board, pick) }));
}

/** 有效边界：没有别的组合一边不低、另一边更高。按我方得分从低到高。 */
function frontierOf(all) {
  const sorted = [...all].sort((a, b) => b.points[0] - a.points[0] || b.points[1] - a.points[1]);
  const found = [];
  let most = -Infinity;
  for (const one of sorted) if (one.points[1] > most) { found.push(one); most = one.points[1]; }
  return found.reverse();
}

/** 两边都不低、至少一边更高的组合；两边一起多得多的在前。 */
function betterThan(all, [mine, yours]) {
  const gain = (one) => Math.min(one.points[0] - mine, one.points[1] - yours);
  return all.filter(({ points: [a, b] }) => a >= mine && b >= yours && (a > mine || b > yours))
    .sort((a, b) => gain(b) - gain(a) || b.points[0] + b.points[1] - a.points[0] - a.points[1]);
}

const nameOf = (issue) => issue.title.split("（")[0];
const termsOf = (board, pick) => pick.map((place, i) => `${nameOf(board.issues[i])} ${board.issues[i].options[place].title}`);

// ---- 画 ----

function put(node, text) { if (node.textContent !== text) node.textContent = text; }

function s(name, props = {}, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** 坐标：0–100 分。留出写刻度的边。 */
const X = (p) => 44 + p * 3.5;
const Y = (p) => 366 - p * 3.5;

function axes(board) {
  const ticks = [0, 20, 40, 60, 80, 100];
  return s("g", { class: "axes" },
    ...ticks.flatMap((t) => [s("line", { x1: X(t), x2: X(t), y1: Y(0), y2: Y(100) }), s("line", { x1: X(0), x2: X(100), y1: Y(t), y2: Y(t) }),
      s("text", { x: X(t), y: Y(0) + 17, "text-anchor": "middle" }, String(t)), s("text", { x: X(0) - 6, y: Y(t) + 4, "text-anchor": "end" }, String(t))]),
    s("text", { x: X(50), y: Y(0) + 34, "text-anchor": "middle", class: "axis" }, `${board.sides[0]}得分 →`),
    s("text", { x: 12, y: Y(50), "text-anchor": "middle", class: "axis", transform: `rotate(-90 12 ${Y(50)})` }, `${board.sides[1]}得分 →`));
}

const dots = (list, radius) => list.map(({ points: [a, b] }) =>
  `M${X(a) - radius} ${Y(b)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`).join("");

function renderBoard(board, model) {
  const pair = board.mode === "pair";
  const all = everyPackage(board);
  const edge = frontierOf(all);
  const fits = ({ points: [a, b] }) => a >= board.limits[0] && b >= board.limits[1];
  let games = board.games.length ? structuredClone(board.games) : [{ offers: [], end: null }];
  const talk = () => (pair ? games.at(-1) : { offers: board.offers, end: board.end });
  let veil = board.veil;
  let stamp = 0;
  let waiting = 0;
  let turn = 0; // 双人：轮到哪一边
  let peek = null; // 双人：哪一边正按住看密卷
  const last = () => talk().offers.at(-1);
  const home = () => last()?.pick ?? board.issues.map(() => 0);
  let pick = [...home()];

  // -- 配一套 --
  const group = `crm-deal-${Math.random().toString(36).slice(2)}`;
  const radios = board.issues.map((issue, i) => issue.options.map((option, place) =>
    h("input", { type: "radio", name: `${group}-${i}`, value: String(place), onchange: () => { pick[i] = place; soon(); } })));
  const worth = board.issues.map((issue) => issue.options.map(() => h("small")));
  const composer = h(".crm-deal-composer", {}, board.issues.map((issue, i) => h("fieldset", {}, h("legend", {}, issue.title),
    h(".crm-deal-terms", {}, issue.options.map((option, place) => h("label.crm-deal-term", {}, radios[i][place], h("span", {}, option.title), worth[i][place]))))));

  const scores = board.sides.map((name, side) => {
    const number = h("output.crm-deal-big"), level = h("span.crm-deal-gap");
    return { number, level, node: h(".crm-deal-score", { "data-side": String(side) }, h("span", {}, `${MARKS[side]} ${name}`), number, level) };
  });
  const others = h(".crm-deal-better", { role: "status" });

  // -- 图 --
  const here = s("g", { class: "here" }, s("line", { class: "cross" }), s("line", { class: "cross" }), s("circle", { r: 8 }));
  const path = s("g", { class: "path" });
  const edgeLine = s("polyline", { class: "edge", points: edge.map(({ points: [a, b] }) => `${X(a)},${Y(b)}`).join(" ") });
  const map = s("svg", { viewBox: "0 0 404 404", role: "img", class: "crm-deal-map" },
    axes(board),
    s("path", { class: "dots", d: dots(all.filter((one) => !fits(one)), 2.2) }),
    s("path", { class: "dots fit", d: dots(all.filter(fits), 2.8) }),
    s("line", { class: "limit", x1: X(board.limits[0]), x2: X(board.limits[0]), y1: Y(0), y2: Y(100) }),
    s("line", { class: "limit", x1: X(0), x2: X(100), y1: Y(board.limits[1]), y2: Y(board.limits[1]) }),
    edgeLine, s("path", { class: "dots edge-dots", d: dots(edge, 4) }), path, here);
  let dragging = false;
  const nearest = (e) => {
    const box = map.getBoundingClientRect();
    const x = ((e.clientX - box.left) / box.width) * 404, y = ((e.clientY - box.top) / box.height) * 404;
    let best = null, least = Infinity;
    for (const one of all) {
      const far = (X(one.points[0]) - x) ** 2 + (Y(one.points[1]) - y) ** 2;
      if (far < least) { least = far; best = one; }
    }
    pick = [...best.pick];
    soon();
  };
  map.addEventListener("pointerdown", (e) => { if (e.button === 0) { dragging = true; map.setPointerCapture(e.pointerId); nearest(e); } });
  map.addEventListener("pointermove", (e) => dragging && nearest(e));
  for (const end of ["pointerup", "pointercancel"]) map.addEventListener(end, () => { dragging = false; });
  const legend = h(".crm-deal-legend", {}, [["edge", "有效边界"], ["fit", "两边都肯签"], ["no", "有一方不签"], ["limit", "没谈成的分"], ["here", "现在这一套"]]
    .map(([kind, title]) => h("span", {}, h("i", { "data-kind": kind, "aria-hidden": "true" }), title)));

  // -- 让步曲线 --
  const curve = s("svg", { viewBox: "0 0 560 232", role: "img", class: "crm-deal-curve" });

  // -- 记录 --
  const log = h("tbody");
  const ledger = h(".crm-deal-ledger", { tabindex: "0", role: "region", "aria-label": "报价记录" }, h("table", {}, h("thead", {}, h("tr", {}, ["", "谁", ...board.issues.map(nameOf), "", ""].map((t) => h("th", { scope: "col" }, t)))), log));
  const heads = ledger.querySelectorAll("th");
  const patterns = h("ul.crm-deal-patterns");
  const news = h(".crm-deal-news", { role: "status", "aria-live": "polite" });
  const trouble = h(".crm-trouble", { role: "alert", hidden: true });

  // -- 双人 --
  const said = h("input.crm-deal-said", { type: "text", maxlength: "80", placeholder: "可以记下原话，比如：如果……我就……", "aria-label": "这一次说了什么" });
  const offer = h("button.crm-button.crm-deal-bid", { type: "button", onclick: () => { talk().offers.push({ side: turn, pick: [...pick], said: said.value.trim() }); said.value = ""; turn = 1 - turn; keep(); } }, "报出去");
  const accept = h("button.crm-button", { type: "button", onclick: () => { talk().end = "deal"; pick = [...home()]; keep(); } }, "接受");
  const leave = h("button.crm-button.crm-deal-plain-look", { type: "button", onclick: () => { talk().end = "none"; keep(); } }, "不谈了");
  const back = h("button.crm-button.crm-deal-plain-look", { type: "button", onclick: () => { const gone = talk().offers.pop(); talk().end = null; if (gone) { turn = gone.side; pick = [...gone.pick]; } keep(); } }, "退一步");
  const again = h("button.crm-button", { type: "button", onclick: () => { games.push({ offers: [], end: null }); turn = 0; pick = board.issues.map(() => 0); keep(); } }, "再谈一局");
  const swap = h("button.crm-button.crm-deal-plain-look", { type: "button", onclick: () => { turn = 1 - turn; draw(); } });
  const keys = board.sides.map((name, side) => {
    const show = (on) => { peek = on ? side : peek === side ? null : peek; draw(); };
    return h("button.crm-button.crm-deal-peek", {
      type: "button", "data-side": String(side), onpointerdown: (e) => { if (e.button === 0) { e.target.setPointerCapture(e.pointerId); show(true); } },
      onpointerup: () => show(false), onpointercancel: () => show(false), onlostpointercapture: () => show(false), onblur: () => show(false), oncontextmenu: (e) => e.preventDefault(),
      onkeydown: (e) => { if ([" ", "Enter"].includes(e.key)) { e.preventDefault(); if (!e.repeat) show(true); } }, onkeyup: (e) => [" ", "Enter"].includes(e.key) && show(false),
    }, `${MARKS[side]} ${name}：按住看密卷`);
  });
  const whose = h("b.crm-deal-whose");
  const desk = h(".crm-deal-desk", {}, h(".crm-deal-secrets", {}, keys, h("span.crm-deal-hint", {}, "一个人看，另一个人转过头去。松手就合上。")),
    h(".crm-deal-turn", {}, whose, swap), said, h(".crm-deal-moves", {}, offer, accept, leave, back));
  const reset = h("button.crm-button.crm-deal-reset", { type: "button", onclick: () => { pick = [...home()]; draw(); } }, "↺ 回到签的那一套");
  const lift = h("button.crm-button", { type: "button", onclick: () => { veil = false; draw(); } }, "先看范例");

  function keep() {
    stamp += 1;
    model.send({ do: "keep", note: { games }, stamp });
    clearTimeout(waiting);
    waiting = setTimeout(() => tell("记录还没有存上：内核没有回应。等一会儿；还不行，就点上方的“▶ 运行全部”。"), 6000);
    draw();
  }
  function tell(text) { put(trouble, text); trouble.hidden = !text; }

  // -- 更新 --
  let pending = 0;
  const soon = () => { pending ||= requestAnimationFrame(() => { pending = 0; draw(); }); };
  const open = () => board.mode === "map" || (talk().end !== null && !veil); // 能不能摊开两边的分

  function draw() {
    const shown = open();
    root.toggleAttribute("data-open", shown);
    root.toggleAttribute("data-veil", veil);
    board.issues.forEach((issue, i) => issue.options.forEach((option, place) => {
      radios[i][place].checked = pick[i] === place;
      const seen = shown ? option.points : peek === null ? null : [option.points[peek]];
      put(worth[i][place], seen ? seen.map(trim).join(" / ") : "");
    }));
    const now = pointsOf(board, pick);
    scores.forEach(({ number, level, node }, side) => {
      const see = shown || peek === side;
      put(number, see ? trim(now[side]) : "？");
      const gap = round2(now[side] - board.limits[side]);
      put(level, see ? (gap < 0 ? `比没谈成还少 ${trim(-gap)}` : `比没谈成多 ${trim(gap)}`) : "谈完才揭开");
      node.dataset.level = see ? (gap < 0 ? "low" : "high") : "";
    });
    drawLedger(shown);
    if (pair) drawDesk();
    if (!shown) return;
    const list = betterThan(all, now);
    others.replaceChildren(h("b", {}, list.length ? `两边都不吃亏、至少一边更好的，还有 ${list.length} 套。` : "这一套在有效边界上：谁想多得，另一边就要少得。"),
      ...list.slice(0, 3).map((one) => h("button.crm-deal-jump", { type: "button", onclick: () => { pick = [...one.pick]; draw(); composer.querySelector("input:checked").focus(); } },
        `${termsOf(board, one.pick).join("，")}：${trim(one.points[0])} / ${trim(one.points[1])}`)));
    const [ring, ...lines] = [here.lastChild, ...here.querySelectorAll("line")];
    for (const [key, value] of [["cx", X(now[0])], ["cy", Y(now[1])]]) ring.setAttribute(key, value);
    const ends = [[X(0), X(now[0]), Y(now[1]), Y(now[1])], [X(now[0]), X(now[0]), Y(0), Y(now[1])]];
    lines.forEach((line, i) => ["x1", "x2", "y1", "y2"].forEach((key, k) => line.setAttribute(key, ends[i][k])));
    map.setAttribute("aria-label", `得分图：现在这一套，${board.sides[0]} ${trim(now[0])} 分，${board.sides[1]} ${trim(now[1])} 分；${list.length ? `还有 ${list.length} 套更好` : "在有效边界上"}`);
  }

  let drawn = "";
  function drawLedger(shown) {
    const { offers, end } = talk();
    const looks = JSON.stringify([offers, end, shown, veil, board.patterns]);
    if (looks === drawn) return; // 拖动时不重画
    drawn = looks;
    put(heads[heads.length - 2], shown ? board.sides[0] : "");
    put(heads[heads.length - 1], shown ? board.sides[1] : "");
    log.replaceChildren(...(veil ? [] : offers).flatMap((one, i) => {
      const got = pointsOf(board, one.pick), final = end === "deal" && i === offers.length - 1;
      return [h("tr", { "data-final": final }, h("td", {}, String(i + 1)), h("td", { "data-side": String(one.side) }, `${MARKS[one.side]} ${board.sides[one.side]}`),
        ...one.pick.map((place, k) => h("td", { "data-moved": i > 0 && offers[i - 1].pick[k] !== place }, board.issues[k].options[place].title)),
        ...got.map((p) => h("td.crm-deal-number", {}, shown ? trim(p) : ""))),
      one.said ? h("tr.crm-deal-words", {}, h("td"), h("td", { colspan: String(board.issues.length + 3) }, `“${one.said}”`)) : null].filter(Boolean);
    }));
    ledger.hidden = !offers.length || veil;
    patterns.replaceChildren(...(shown ? board.patterns : []).map((line) => h("li", {}, line)));
    news.textContent = board.mode === "map" ? "点图上任何一处，或者在左边配一套，看两边各得几分。" : !end || veil ? ""
      : end === "deal" ? `谈成了：${termsOf(board, offers.at(-1).pick).join("，")}。点图上任何一处，看看还有没有更好的。` : `没有谈成。两边各拿没谈成的分：${board.limits.map(trim).join("、")}。`;
    news.dataset.end = veil ? "" : end ?? "";
    if (!shown) return;
    path.replaceChildren(s("polyline", { points: offers.map((one) => pointsOf(board, one.pick)).map(([a, b]) => `${X(a)},${Y(b)}`).join(" ") }),
      ...offers.map((one, i) => {
        const [a, b] = pointsOf(board, one.pick);
        return s("g", { "data-side": String(one.side) }, s("circle", { cx: X(a), cy: Y(b), r: 8 }), s("text", { x: X(a), y: Y(b) + 4, "text-anchor": "middle" }, String(i + 1)));
      }));
    drawCurve(offers);
  }

  function drawCurve(offers) {
    // 两条线都量对方的得分：一条是我方给的，一条是对方要的；碰上就成交
    const own = [0, 1].map((side) => offers.map((one, i) => [i, one.side === side ? pointsOf(board, one.pick)[1] : null]).filter(([, p]) => p !== null));
    if (board.wants.length) own[1] = board.wants.map((p, i) => [i, p]);
    const higher = (side, i, p) => { const rival = own[1 - side].find(([k]) => k === i)?.[1]; return rival === undefined || rival === p ? side === 1 : p > rival; };
    const titles = [`${board.sides[0]}给出的`, `${board.sides[1]}想要的`];
    const wide = Math.max(offers.length - 1, 1), cx = (i) => 56 + (i / wide) * 480, cy = (p) => 190 - p * 1.7;
    curve.replaceChildren(s("g", { class: "axes" }, ...[0, 25, 50, 75, 100].flatMap((t) => [s("line", { x1: 44, x2: 552, y1: cy(t), y2: cy(t) }), s("text", { x: 38, y: cy(t) + 4, "text-anchor": "end" }, String(t))]),
      ...offers.map((_, i) => s("text", { x: cx(i), y: 208, "text-anchor": "middle" }, String(i + 1))),
      s("text", { x: 298, y: 228, "text-anchor": "middle", class: "axis" }, `第几次报价　（竖着看：${board.sides[1]}的得分）`)),
    ...own.map((line, side) => s("g", { class: "line", "data-side": String(side) }, s("polyline", { points: line.map(([i, p]) => `${cx(i)},${cy(p)}`).join(" ") }),
      ...line.map(([i, p]) => s(side ? "rect" : "circle", side ? { x: cx(i) - 4, y: cy(p) - 4, width: 8, height: 8 } : { cx: cx(i), cy: cy(p), r: 4.5 })),
      ...line.map(([i, p]) => s("text", { x: cx(i), y: cy(p) + (higher(side, i, p) ? -9 : 18), "text-anchor": "middle" }, String(Math.round(p)))))));
    curve.setAttribute("aria-label", `让步曲线。${own.map((line, side) => `${titles[side]}：${line.map(([, p]) => trim(p)).join("，")}`).join("；")}`);
  }

  function drawDesk() {
    const { offers, end } = talk();
    if (last() && !end) turn = 1 - last().side;
    desk.hidden = end !== null;
    put(whose, `轮到 ${MARKS[turn]} ${board.sides[turn]}`);
    put(swap, `让 ${board.sides[1 - turn]} 先报`);
    swap.hidden = offers.length > 0;
    root.dataset.turn = String(turn);
    put(accept, last() ? `接受${board.sides[last().side]}的这一套` : "接受");
    accept.disabled = leave.disabled = back.disabled = !last();
    offer.textContent = `${board.sides[turn]}报出去`;
    offer.disabled = Boolean(last()) && last().side !== turn && last().pick.join() === pick.join(); // 和对方一样，就点“接受”
    again.hidden = end === null;
    keys.forEach((key, side) => key.setAttribute("aria-pressed", String(peek === side)));
  }

  const root = h("section.crm-look.crm-task.crm-deal", { "aria-label": `洽谈板 ${board.case}` },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, `洽谈板：${board.case}`),
      h("span.crm-help", {}, board.notices.join("")), pair ? again : board.mode === "game" ? reset : null),
    h(".crm-inside", {},
      h(".crm-deal-veil", {}, lift),
      h(".crm-deal-main", {},
        h(".crm-deal-left", {}, composer, h(".crm-deal-scores2", {}, scores.map((one) => one.node)), pair ? desk : null, h(".crm-deal-when-open", {}, others), ledger, trouble),
        h(".crm-deal-right.crm-deal-when-open", {}, news, map, legend,
          board.mode === "map" ? null : h("figure.crm-deal-when-open", {}, h("figcaption", {}, "让步曲线：", h("span", { "data-side": "0" }, `● ${board.sides[0]}给出的`), "，", h("span", { "data-side": "1" }, `■ ${board.sides[1]}想要的`), "。两条线碰上，就成交。"), curve, patterns)))));
  keepKeys(root);
  draw();
  return {
    root,
    /** 内核回话：存上了没有。 */
    heard(message) { if (message?.stamp === stamp) { clearTimeout(waiting); tell(message.trouble || ""); } },
    /** 内核重新读了一遍；自己刚记下的不用重画，只补上让步的评语。 */
    fresh(now) {
      if (!pair || JSON.stringify(now.games) !== JSON.stringify(games)) return false;
      board.patterns = now.patterns;
      draw();
      return true;
    },
    stop() { clearTimeout(waiting); },
  };
}

export default {
  render({ model, el }) {
    let shown = null;
    const show = () => {
      if (shown?.fresh(model.get("board"))) return;
      shown?.stop();
      shown = renderBoard(structuredClone(model.get("board")), model);
      el.replaceChildren(shown.root);
    };
    const heard = (message) => shown.heard(message);
    model.on("change:board", show);
    model.on("msg:custom", heard);
    show();
    const away = lookWhenSeen(model, el);
    return () => { away(); shown.stop(); model.off("change:board", show); model.off("msg:custom", heard); };
  },
};
