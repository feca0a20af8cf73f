// 模拟题：一回合一回合地做决定。怎么算在内核里（crmlib/tasks/simulate.py），这里只管显示和收决定。

const SVG = "http://www.w3.org/2000/svg";
const svg = (name, props = {}, ...children) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  node.append(...children);
  return node;
};

/** 3650 → “3,650 元”；文字照原样。 */
function shown(spec, value, unit = true) {
  if (typeof value !== "number") return spec.options?.[value] ?? String(value);
  const text = value.toLocaleString("en-US", { maximumFractionDigits: spec.decimals ?? 2 });
  if (!unit || !spec.unit) return text;
  return spec.unit === "%" ? `${text}%` : `${text} ${spec.unit}`;
}

/** 刻度：三四个整齐的数，罩住所有的值。 */
function ticks(low, high) {
  if (low === high) [low, high] = [low - 1, high + 1];
  const rough = (high - low) / 3;
  const size = 10 ** Math.floor(Math.log10(rough));
  const gap = size * [1, 2, 2.5, 5, 10].find((m) => m * size >= rough);
  const first = Math.floor(low / gap + 1e-9);
  const last = Math.ceil(high / gap - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, n) => (first + n) * gap);
}

/** 一个状态一路走来的折线。 */
function drawChart(spec, values, turns, names) {
  const [width, height, left, right, top, bottom] = [460, 200, 56, 26, 14, 28];
  const marks = ticks(Math.min(...values), Math.max(...values));
  const [low, high] = [marks[0], marks.at(-1)];
  const x = (turn) => left + ((width - left - right) * turn) / turns;
  const y = (value) => top + ((height - top - bottom) * (high - value)) / (high - low);
  const every = Math.ceil((turns * (names ? 2 : 1)) / 12);
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "crm-chart", role: "img",
    "aria-label": `${spec.title}：${values.map((v) => shown(spec, v)).join("，")}` });
  for (const mark of marks) {
    chart.append(svg("line", { x1: left, x2: width - right, y1: y(mark), y2: y(mark), class: "crm-grid" }),
      svg("text", { x: left - 8, y: y(mark) + 5, "text-anchor": "end" }, shown({ decimals: 2 }, mark)));
  }
  for (let turn = 0; turn <= turns; turn += every) {
    chart.append(svg("text", { x: x(turn), y: height - 6, "text-anchor": "middle" }, turn ? names?.[turn - 1] ?? String(turn) : "开始"));
  }
  chart.append(svg("polyline", { points: values.map((v, turn) => `${x(turn)},${y(v)}`).join(" "), class: "crm-path" }),
    ...values.map((v, turn) => svg("circle", { cx: x(turn), cy: y(v), r: turn === values.length - 1 ? 5 : 3.5, class: "crm-dot" },
      svg("title", {}, shown(spec, v)))));
  return chart;
}

function buildSimulate({ task, answer, view, graded, changed, check, say }) {
  const states = Object.entries(task.state);
  const actions = Object.entries(task.actions);
  const tables = Object.entries(task.by_turn ?? {});
  const label = (turn) => task.turn_labels?.[turn - 1] ?? `第 ${turn} ${task.turn_name}`;
  const better = { more: 1, less: -1 };
  const lines = states.filter(([, spec]) => typeof spec.start === "number");
  let now = view;
  let game = { seed: view.seed, log: [...view.log] };
  let last = answer?.last ?? null; // 作业：上一局走完的
  let touched = answer !== null;
  let waiting = false; // 等内核算完这一回合
  let charted = (lines.find(([, spec]) => spec.tile !== false) ?? lines[0])?.[0];

  // -- 走到哪里 --
  const where = h("span.crm-turn");
  const track = h(".crm-turns", { "aria-hidden": "true" }, Array.from({ length: task.turns }, () => h("span")));

  // -- 现在的样子 --
  const tiles = new Map(states.filter(([, spec]) => spec.tile !== false).map(([id, spec]) => [id, tile(id, spec)]));
  function tile(id, spec) {
    const value = h("span.crm-tile-value");
    const moved = h("span.crm-tile-moved");
    const node = h("button.crm-tile", { type: "button", "data-state": id, onclick: () => { charted = id; chart(); } },
      h("span.crm-tile-title", {}, spec.title), value, moved);
    return { node, set(current, before) {
      const number = typeof current === "number";
      value.replaceChildren(shown(spec, current, false), number && spec.unit ? h("small", {}, spec.unit) : "");
      const change = number && before !== undefined ? Math.round((current - before) * 1e6) / 1e6 : 0;
      const good = change * (better[spec.better] ?? 0);
      moved.dataset.good = good > 0 ? "yes" : good < 0 ? "no" : "";
      moved.textContent = change ? `${change > 0 ? "▲" : "▼"} ${shown(spec, Math.abs(change), false)}` : before === undefined ? "" : "不变";
      node.setAttribute("aria-label", `${spec.title} ${shown(spec, current)}${change ? `，${change > 0 ? "加" : "减"} ${shown(spec, Math.abs(change))}` : ""}。看走势`);
      return change ? `${spec.title}${shown(spec, current)}。` : "";
    } };
  }

  // -- 决定 --
  const fields = new Map(actions.map(([id, spec]) => [id, spec.options ? choices(id, spec) : slider(spec)]));
  function choices(id, spec) {
    const name = `crm-${task.id}-${id}-${Math.random().toString(36).slice(2)}`;
    const options = Object.entries(spec.options).map(([value, text]) => {
      const input = h("input", { type: "radio", name, value });
      return { value, input, node: h("label.crm-choice", {}, input, h("span", {}, text)) };
    });
    return {
      node: h("fieldset.crm-field", {}, h("legend", {}, spec.title), h(".crm-choices", {}, options.map((o) => o.node))),
      read: () => options.find((o) => o.input.checked)?.value,
      write: (value) => options.forEach((o) => { o.input.checked = o.value === value; }),
    };
  }
  function slider(spec) {
    const step = spec.step ?? 1;
    const snap = (x) => Number((spec.min + Math.round((Math.min(Math.max(x, spec.min), spec.max) - spec.min) / step) * step).toFixed(6));
    const range = h("input", { type: "range", min: String(spec.min), max: String(spec.max), step: String(step), "aria-label": spec.title,
      oninput: () => write(Number(range.value)) });
    const typed = h("input.crm-number", { type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": `${spec.title}，直接打数`,
      onchange: () => write(readNumber(typed.value, spec.unit) ?? Number(range.value)) });
    const move = (by, sign) => h("button.crm-button.crm-nudge", { type: "button", tabindex: "-1",
      "aria-label": `${spec.title}${by > 0 ? "加" : "减"} ${step}`, onclick: () => write(Number(range.value) + by) }, sign);
    function write(value) {
      const exact = snap(value);
      range.value = String(exact);
      range.setAttribute("aria-valuetext", shown(spec, exact));
      range.style.setProperty("--at", `${(100 * (exact - spec.min)) / (spec.max - spec.min || 1)}%`);
      typed.value = shown({ decimals: 6 }, exact).replaceAll(",", "");
    }
    return {
      node: h(".crm-field", { role: "group", "aria-label": spec.title }, h(".crm-field-head", {}, h("span.crm-field-title", {}, spec.title),
        h("span.crm-typed", {}, typed, spec.unit ? h("span.crm-unit", {}, spec.unit) : null)),
      h(".crm-slide", {}, move(-step, "−"), range, move(step, "＋"))),
      read: () => { write(readNumber(typed.value, spec.unit) ?? Number(range.value)); return Number(range.value); },
      write,
    };
  }
  const fill = (action) => actions.forEach(([id, spec]) =>
    fields.get(id).write(action?.[id] ?? spec.start ?? (spec.options ? Object.keys(spec.options)[0] : spec.min)));

  // 每回合已经知道的数，例如预计来电：一条小柱子一回合，现在这一回合亮着
  const strips = tables.map(([, spec]) => {
    const most = Math.max(...spec.values, 0) || 1;
    const bars = spec.values.map((value, place) => h(".crm-bar", { title: `${label(place + 1)}：${shown(spec, value)}` },
      h("span.crm-bar-value", {}, shown(spec, value, false)),
      h("span.crm-bar-fill", { style: `height:${(3.2 * Math.max(value, 0)) / most}em` }), h("span.crm-bar-turn", {}, task.turn_labels ? label(place + 1) : String(place + 1))));
    const said = h("strong");
    return {
      node: h(".crm-strip", {}, h(".crm-strip-head", {}, spec.title, "：", said), h(".crm-bars", { "aria-hidden": "true" }, bars)),
      set(turn) {
        bars.forEach((bar, place) => bar.toggleAttribute("data-now", place + 1 === turn));
        said.textContent = turn > spec.values.length ? "" : shown(spec, spec.values[turn - 1]);
      },
    };
  });

  const nextButton = h("button.crm-button.crm-next", { type: "button", onclick: next });
  const back = h("button.crm-button", { type: "button", onclick: () => go(game.log.slice(0, -1), game.log.at(-1)) }, "↶ 退一步");
  const again = h("button.crm-button", { type: "button", onclick: restart }, "↺ 重来");
  const other = h("button.crm-button", { type: "button", onclick: () => { game.seed = task.seeds[(place() + 1) % task.seeds.length]; go([]); } }, "换一个局面");
  const place = () => task.seeds.indexOf(game.seed);
  const decideTitle = h(".crm-decide-title");
  const decide = h(".crm-decide", { role: "group", "aria-label": "做决定" }, decideTitle, strips.map((s) => s.node), [...fields.values()].map((f) => f.node));
  const ending = h(".crm-ended", { tabindex: "-1" });
  const story = h(".crm-story");
  const chartBox = h(".crm-chart-box");
  const table = h(".crm-scroll");
  const note = h(".crm-help");
  const foot = h(".crm-sim-foot", {}, nextButton, graded ? null : back, again, graded || task.seeds.length < 2 ? null : other, note);
  const solutionBox = h("div");
  const node = h(".crm-sim", {},
    h(".crm-sim-top", {}, where, track),
    h(".crm-tiles", { style: `--across:${tiles.size > 6 ? Math.ceil(tiles.size / 2) : tiles.size}` }, [...tiles.values()].map((t) => t.node)),
    h(".crm-sim-main", {}, h(".crm-sim-turn", {}, decide, ending, foot), story, chartBox),
    fold("每一步的记录", table),
    fold(`规则是公开的（${task.rules.length} 条）`, ruleList()),
    solutionBox);

  function fold(title, ...inside) {
    return h("details.crm-fold", {}, h("summary", {}, title), ...inside);
  }
  function ruleList() {
    const said = task.rules.map(({ about, say: words, how }) => h("li.crm-law", {}, h("strong", {}, about),
      h("div", {}, words || null, words ? h(".crm-how", {}, how) : how)));
    const secret = task.secrets.length ? h("p.crm-help", {}, `这些数现在看不见，走完以后揭开：${task.secrets.join("、")}。`) : null;
    return h("div", {}, h("p.crm-help", {}, `每${task.turn_name}从上往下算一遍。`), h("ol.crm-laws", {}, said), secret);
  }

  // -- 画 --
  function draw({ spoken = false } = {}) {
    const { turn, over } = now;
    where.replaceChildren(h("strong", {}, over ? "走完了" : label(turn + 1)), ` · 共 ${task.turns} ${task.turn_name}`);
    [...track.children].forEach((pip, n) => { pip.dataset.at = n < turn ? "done" : n === turn && !over ? "now" : ""; });
    const [current, before] = [now.states[turn], now.states[turn - 1]];
    const heard = [...tiles].map(([id, t]) => t.set(current[id], before?.[id])).join("");
    decideTitle.textContent = `${label(turn + 1)}，你的决定`;
    strips.forEach((s) => s.set(turn + 1));
    nextButton.textContent = turn + 1 === task.turns ? `走完最后一${task.turn_name} ▸` : `下一${task.turn_name} ▸`;
    nextButton.hidden = decide.hidden = over;
    nextButton.disabled = false;
    back.disabled = again.disabled = !turn;
    other.textContent = `换一个局面（${place() + 1}/${task.seeds.length}）`;
    note.replaceChildren(...hints());
    ending.hidden = !over;
    if (over) end();
    story.replaceChildren(...now.lines[turn].map((text) => h("div", {}, text)));
    story.hidden = !now.lines.some((said) => said.length);
    chart();
    table.replaceChildren(history());
    if (spoken) say(`${turn ? `${label(turn)}过完。` : "回到开始。"}${heard}${now.lines[turn].join("")}${over ? "走完了。" : ""}`);
  }
  function hints() {
    if (graded) {
      return [`${now.last ? "这一局还没有走完，交上去算的是上一局。" : ""}交作业以前可以重来，次数不限；最后走完的一局算数。`];
    }
    if (now.over) return ["点“检查”，看得几分。重来一次，也许能更好。"];
    return [h("kbd", {}, "← →"), " 调数，", h("kbd", {}, "回车"), ` 下一${task.turn_name}，`, h("kbd", {}, "退格"), " 退一步。"];
  }
  function end() {
    const mark = ({ reached }) => (reached > 1 - 1e-9 ? "right" : reached > 0 ? "partial" : "wrong");
    const part = (goal) => (mark(goal) === "partial" ? `做到 ${Math.floor(goal.reached * 100)}%` : mark(goal) === "right" ? "做到了" : "没有做到");
    const goals = now.goals.length
      ? now.goals.map((goal) => h("li", { "data-goal": mark(goal) }, h("span.crm-badge", { "aria-hidden": "true" }, BADGE[mark(goal)]),
        h("span", {}, goal.name), h("span.crm-goal-part", {}, part(goal))))
      : task.goals.map(({ name }) => h("li", {}, name));
    ending.replaceChildren(
      h(".crm-ended-title", {}, now.turn < task.turns ? `第 ${now.turn} ${task.turn_name}结束了` : `${task.turns} ${task.turn_name}走完了`),
      h("ul.crm-goals", { "aria-label": "目标" }, goals),
      ...(now.secrets.length ? [h(".crm-revealed", {}, h("strong", {}, "现在揭开"), h("ul", {}, now.secrets.map((s) => h("li", {}, `${s.title}：${s.text}`))))] : []));
  }
  function chart() {
    for (const [id, t] of tiles) t.node.setAttribute("aria-pressed", String(id === charted));
    const values = now.states.map((s) => s[charted]);
    chartBox.hidden = !charted || values.length < 2;
    if (chartBox.hidden) return;
    const spec = task.state[charted];
    chartBox.replaceChildren(h(".crm-chart-title", {}, `${spec.title}${spec.unit ? `（${spec.unit}）` : ""}`), drawChart(spec, values, task.turns, task.turn_labels));
  }
  function history() {
    if (!now.turn) return h("p.crm-help", {}, `走过一${task.turn_name}，这里就有一行。`);
    const cell = (spec, value) => h("td", typeof value === "number" ? { "data-number": "" } : {}, shown(spec, value, false));
    const head = (spec) => h("th", { scope: "col" }, spec.title, spec.unit ? h("small", {}, `（${spec.unit}）`) : null);
    const told = now.lines.some((said) => said.length);
    const rows = now.log.map((did, n) => h("tr", {}, h("th", { scope: "row" }, label(n + 1)),
      actions.map(([id, spec]) => cell(spec, did[id])), tables.map(([, spec]) => cell(spec, spec.values[n])), states.map(([id, spec]) => cell(spec, now.states[n + 1][id])), told ? h("td.crm-told", {}, now.lines[n + 1].join("")) : null));
    return h("table.crm-record", {}, h("thead", {}, h("tr", {}, h("th", {}), actions.map(([, s]) => head(s)), tables.map(([, s]) => head(s)), states.map(([, s]) => head(s)), told ? h("th", { scope: "col" }, "发生了什么") : null)),
      h("tbody", {}, rows));
  }

  // -- 走 --
  function next() {
    if (waiting || now.over) return;
    send([...game.log, Object.fromEntries(actions.map(([id]) => [id, fields.get(id).read()]))]);
  }
  function send(log) {
    game.log = log;
    touched = waiting = true;
    nextButton.disabled = true;
    changed();
  }
  function go(log, action) {
    fill(action ?? log.at(-1));
    send(log);
  }
  function restart() {
    if (graded && now.over) last = { seed: game.seed, log: game.log };
    go([]);
    nextButton.focus({ preventScroll: true });
  }

  node.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const inDecide = e.target.matches(".crm-decide input");
    const typing = e.target.matches("input[type=text]");
    if (e.key === "Enter" && inDecide) next();
    else if (e.key === "Enter" && e.target === ending) check();
    else if (e.key === "Backspace" && !typing && !graded && game.log.length && !waiting) go(game.log.slice(0, -1), game.log.at(-1));
    else return;
    e.preventDefault();
  });
  fill(game.log.at(-1));
  draw();

  return {
    node,
    unit: "个目标",
    read: () => (touched ? { ...game, ...(last ? { last } : {}) } : null),
    look(view) {
      if (waiting && view.turn !== game.log.length) return; // 更新的还在路上
      const ended = view.over && !now.over;
      [now, waiting] = [view, false];
      game = { seed: view.seed, log: [...view.log] };
      draw({ spoken: true });
      if (ended && node.contains(node.getRootNode().activeElement ?? null)) ending.focus({ preventScroll: true });
    },
    update(given) {
      touched = given !== null;
      last = given?.last ?? null;
    },
    mark() {},
    clear() { solutionBox.replaceChildren(); },
    solve(solution, open) {
      solutionBox.replaceChildren(...(open ? [sample("一种得满分的走法（同一个局面）", `\n${solution.text}`)] : []));
    },
  };
}

export default { render: (view) => renderTask(view, buildSimulate) };
