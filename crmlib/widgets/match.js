// 配对题：左右两列，点左边再点右边（反过来也行），或者拖过去，或者按字母。配好的用线连着。

function buildMatch({ task, answer, changed, say }) {
  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const lefts = Object.keys(task.left);
  const rights = task.shown;
  const pairs = {};
  let holding = null; // 点中的卡片，等着点另一边
  let current = lefts[0]; // Tab 会落在左边哪张卡片上

  const cards = new Map();
  const make = (side, id, place) => {
    const card = cardNode(id, task[side][id]);
    card.classList.add("crm-drop", "crm-end", `crm-end-${side}`);
    card.dataset.side = side;
    card.prepend(h("span.crm-key", { "aria-hidden": "true" }, side === "left" ? String(place + 1) : LETTERS[place]));
    if (side === "left") card.append(h("span.crm-partner", { "aria-hidden": "true" }));
    cards.set(`${side} ${id}`, card);
    return card;
  };
  const left = (id) => cards.get(`left ${id}`);
  const right = (id) => cards.get(`right ${id}`);
  const nameOf = (side, id) => cardOf(task[side][id]).text;
  const letterOf = (id) => LETTERS[rights.indexOf(id)];

  const columns = [["left", lefts], ["right", rights]].map(([side, ids]) =>
    h(`.crm-side`, { role: "group", "aria-label": side === "left" ? "左边" : "右边" }, ids.map((id, place) => make(side, id, place))));
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "crm-wires");
  svg.setAttribute("aria-hidden", "true");
  const board = h(".crm-match", {}, columns[0], svg, columns[1]);
  const count = h("span.crm-count");
  const help = h(".crm-help", {}, "点左边一张，再点右边一张；也可以拖过去。键盘：", h("kbd", {}, "Tab"), " 到左边，按 ",
    h("kbd", {}, `A–${LETTERS[rights.length - 1]}`), " 配对，", h("kbd", {}, "↑ ↓"), " 换一张，", h("kbd", {}, "退格"), " 拆开。", count);
  const node = h("div", {}, help, board);

  // -- 线：从左卡片的右边到右卡片的左边 --
  function wires() {
    const box = svg.getBoundingClientRect();
    svg.replaceChildren();
    if (!box.width) return;
    for (const [a, b] of Object.entries(pairs)) {
      const from = left(a).getBoundingClientRect();
      const to = right(b).getBoundingClientRect();
      const [y1, y2] = [from, to].map((r) => r.top + r.height / 2 - box.top);
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", `M 0 ${y1} C ${box.width * .45} ${y1}, ${box.width * .55} ${y2}, ${box.width} ${y2}`);
      const tone = left(a).dataset.mark;
      if (tone) path.dataset.mark = tone;
      if (a === current && node.contains(document.activeElement)) path.dataset.current = "";
      svg.append(path);
    }
  }
  function draw() {
    const shared = new Set(Object.values(pairs));
    for (const id of lefts) {
      const card = left(id);
      const mate = pairs[id];
      card.toggleAttribute("data-paired", mate !== undefined);
      card.querySelector(".crm-partner").textContent = mate === undefined ? "" : `${letterOf(mate)} ${nameOf("right", mate)}`;
      card.setAttribute("aria-label", `${nameOf("left", id)}。${mate === undefined ? "还没有配" : `配的是 ${letterOf(mate)}，${nameOf("right", mate)}`}`);
      card.tabIndex = id === current ? 0 : -1;
    }
    for (const id of rights) {
      const card = right(id);
      const mates = lefts.filter((a) => pairs[a] === id);
      card.toggleAttribute("data-paired", shared.has(id));
      card.setAttribute("aria-label", `${letterOf(id)}，${nameOf("right", id)}。${mates.length ? `配着：${mates.map((a) => nameOf("left", a)).join("；")}` : "还没有配"}`);
    }
    const free = lefts.length - Object.keys(pairs).length;
    count.textContent = free ? `还有 ${free} 项。` : "都配好了。";
    wires();
  }
  function pair(a, b) {
    hold(null);
    if (pairs[a] === b) return;
    if (b === undefined) delete pairs[a];
    else pairs[a] = b;
    current = a;
    draw();
    changed();
    const free = lefts.filter((id) => !(id in pairs)).length;
    say(b === undefined ? "拆开了。" : `和 ${letterOf(b)}“${nameOf("right", b)}”配上了。${free ? `还有 ${free} 项。` : "都配好了。"}`);
  }
  function hold(card) {
    holding?.setAttribute("aria-pressed", "false");
    holding = card === holding ? null : card;
    holding?.setAttribute("aria-pressed", "true");
    board.toggleAttribute("data-holding", Boolean(holding));
    board.dataset.from = holding?.dataset.side || "";
  }
  /** 两张卡片碰在一起：一左一右就配上。 */
  function join(one, two) {
    if (one.dataset.side === two.dataset.side) return false;
    const [a, b] = one.dataset.side === "left" ? [one, two] : [two, one];
    pair(a.dataset.card, b.dataset.card);
    return true;
  }
  function focus(card) {
    if (!card) return;
    if (card.dataset.side === "left") { current = card.dataset.card; draw(); }
    card.focus();
  }

  board.addEventListener("click", (e) => {
    const card = e.target.closest(".crm-card");
    if (!card) return;
    if (!holding || !join(holding, card)) hold(card);
  });
  board.addEventListener("focusin", (e) => {
    const card = e.target.closest(".crm-end-left");
    if (card && current !== card.dataset.card) current = card.dataset.card;
    draw();
  });
  board.addEventListener("focusout", () => requestAnimationFrame(wires));
  board.addEventListener("keydown", (e) => {
    const card = e.target.closest(".crm-card");
    if (!card || e.ctrlKey || e.metaKey || e.altKey) return;
    const { side, card: id } = card.dataset;
    const letter = /^Key([A-Z])$/.exec(e.code)?.[1] || (/^[a-z]$/i.test(e.key) ? e.key.toUpperCase() : "");
    const chosen = letter ? rights[LETTERS.indexOf(letter)] : undefined;
    const column = side === "left" ? lefts : rights;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    const of = side === "left" ? left : right;
    if (side === "left" && chosen) {
      pair(id, chosen);
      // 配完一个，接着下一个没配的
      const rest = [...lefts.slice(lefts.indexOf(id) + 1), ...lefts].find((a) => !(a in pairs));
      focus(left(rest ?? id));
    } else if (side === "left" && digit(e) && lefts[digit(e) - 1]) focus(left(lefts[digit(e) - 1]));
    else if (side === "left" && ["Backspace", "Delete", "0"].includes(e.key)) pair(id);
    else if (step) focus(of(column[column.indexOf(id) + step]));
    else if (e.key === "Home") focus(of(column[0]));
    else if (e.key === "End") focus(of(column.at(-1)));
    else if (e.key === "ArrowRight" && side === "left") focus(right(pairs[id] ?? rights[0]));
    else if (e.key === "ArrowLeft" && side === "right") focus(left(current));
    else if (e.key === "Enter" || e.key === " ") {
      if (holding && join(holding, card)) focus(left(current));
      else {
        hold(card);
        if (holding && side === "left") focus(right(pairs[id] ?? rights[0]));
      }
    } else if (e.key === "Escape" && holding) hold(null);
    else return;
    e.preventDefault();
  });
  dragCards(board, (card, over) => join(card, over));
  new ResizeObserver(wires).observe(board);

  for (const id of lefts) if (answer && rights.includes(answer[id])) pairs[id] = answer[id];
  draw();

  const untag = () => board.querySelectorAll(".crm-belongs").forEach((n) => n.remove());
  return {
    node,
    unit: "对",
    read: () => (Object.keys(pairs).length ? { ...pairs } : null),
    mark(said) {
      for (const id of lefts) mark(left(id), said.where[id]);
      wires();
    },
    clear() {
      untag();
      for (const id of lefts) mark(left(id), undefined);
      wires();
    },
    solve(solution, open) {
      untag();
      for (const id of open ? lefts : []) {
        if (left(id).dataset.mark !== "wrong") continue;
        const mate = solution.answer[id];
        left(id).append(h("span.crm-belongs", {}, `${letterOf(mate)} ${nameOf("right", mate)}`));
      }
      wires();
    },
  };
}

export default { render: (view) => renderTask(view, buildMatch) };
