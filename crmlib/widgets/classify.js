// 分类题：把卡片放进格子。拖，或者点卡片再点格子，或者用键盘。

function buildClassify({ task, answer, graded, changed, say }) {
  const bins = Object.entries(task.bins);
  const cards = new Map(Object.entries(task.cards).map(([id, card]) => [id, cardNode(id, card)]));
  const order = [...cards.keys()];
  const placed = {};
  let holding = null; // 点中的、等着放的卡片
  let current = null; // Tab 会落在哪张卡片上

  const tray = { pile: h(".crm-pile", { role: "group", "aria-label": "待放的卡片" }), count: h("span.crm-count") };
  const trayNode = h(".crm-tray.crm-drop", { "data-bin": "" },
    h(".crm-bin-head", {}, h("span.crm-bin-title", {}, "待放的卡片"), tray.count), tray.pile);
  const piles = new Map([["", tray]]);
  const binNodes = bins.map(([id, title], place) => {
    const pile = h(".crm-pile");
    const count = h("span.crm-count");
    piles.set(id, { pile, count });
    return h(".crm-bin.crm-drop", { "data-bin": id, role: "group", "aria-label": `格子 ${place + 1}：${title}` },
      h(".crm-bin-head", {}, h("span.crm-key", { "aria-hidden": "true" }, String(place + 1)),
        h("span.crm-bin-title", {}, title), count), pile);
  });
  const keys = bins.length > 1 ? `1–${bins.length}` : "1";
  const help = h(".crm-help", {}, "拖动卡片，或者点卡片再点格子。", h("span.crm-keys", {}, "键盘：", h("kbd", {}, "Tab"), " 到卡片，",
    h("kbd", {}, keys), " 放进格子，", h("kbd", {}, "↑ ↓"), " 换卡片，", h("kbd", {}, "退格"), " 拿回来。"));
  const sort = h(".crm-sort", {}, trayNode, h(".crm-bins", {}, binNodes));
  // 格子排成几列：四个排 2×2；卡片放完、左边空出来以后排成一行
  sort.style.setProperty("--across", bins.length === 4 ? 2 : Math.min(bins.length, 3));
  sort.style.setProperty("--across-done", Math.min(bins.length, bins.length % 3 === 0 ? 3 : 4));
  const node = h("div", {}, help, sort);
  help.style.marginBottom = ".55em";

  const inOrder = () => [...sort.querySelectorAll(".crm-card")];
  const titleOf = (bin) => task.bins[bin];

  function settle(id, bin) {
    if (bin) placed[id] = bin;
    else delete placed[id];
    const { pile } = piles.get(bin || "");
    const card = cards.get(id);
    if (bin) pile.append(card);
    else pile.insertBefore(card, [...pile.children].find((c) => order.indexOf(c.dataset.card) > order.indexOf(id)) || null);
  }
  function recount() {
    for (const [bin, { pile, count }] of piles) {
      const n = pile.children.length;
      count.textContent = bin ? (n ? `${n} 张` : "") : n ? `还有 ${n} 张` : "都放好了。要改，就把卡片拖到别的格子。";
    }
    sort.toggleAttribute("data-done", !tray.pile.children.length);
    for (const [id, card] of cards) {
      const { text, note } = cardOf(task.cards[id]);
      card.setAttribute("aria-label", `${text}${note ? `。${note}` : ""}。${placed[id] ? `在“${titleOf(placed[id])}”` : "待放"}`);
    }
    roam(current && cards.get(current)?.isConnected ? current : inOrder()[0]?.dataset.card);
  }
  function roam(id) {
    current = id;
    for (const [name, card] of cards) {
      card.tabIndex = name === id ? 0 : -1;
      card.toggleAttribute("data-open", name === id); // 格子里的卡片平时收短，只有这张展开
    }
  }
  function hold(id) {
    if (holding) {
      cards.get(holding).setAttribute("aria-pressed", "false");
      cards.get(holding).querySelector(".crm-moves")?.remove();
    }
    holding = id === holding ? null : id;
    sort.toggleAttribute("data-holding", Boolean(holding));
    if (!holding) return;
    const card = cards.get(holding);
    card.setAttribute("aria-pressed", "true");
    // 窄屏上格子在屏幕外：把去处摆在卡片里
    card.append(h(".crm-moves", {}, bins.map(([bin, title]) => h("button.crm-button", {
      type: "button", tabindex: "-1", onclick: (e) => { e.stopPropagation(); move(id, bin); } }, title)),
      placed[id] ? h("button.crm-plain", {
        type: "button", tabindex: "-1", onclick: (e) => { e.stopPropagation(); move(id, ""); } }, "拿回来") : null));
  }
  function move(id, bin, { follow = false } = {}) {
    if (holding) hold(holding);
    if ((placed[id] || "") === bin) return;
    const at = [...tray.pile.children].indexOf(cards.get(id));
    settle(id, bin);
    recount();
    changed();
    const left = tray.pile.children.length;
    say(bin ? `放进“${titleOf(bin)}”。${left ? `还有 ${left} 张。` : "都放好了。"}` : "拿回来了。");
    if (!follow) return;
    // 用键盘放完一张，接着下一张
    const next = at >= 0 && left ? tray.pile.children[Math.min(at, left - 1)] : cards.get(id);
    roam(next.dataset.card);
    next.focus();
  }

  sort.addEventListener("click", (e) => {
    const card = e.target.closest(".crm-card");
    const bin = e.target.closest(".crm-drop");
    const onto = holding && bin && holding !== card?.dataset.card && (placed[holding] || "") !== bin.dataset.bin;
    if (onto && (bin.dataset.bin || !card)) move(holding, bin.dataset.bin);
    else if (card) {
      roam(card.dataset.card);
      hold(card.dataset.card);
    }
  });
  sort.addEventListener("focusin", (e) => {
    const card = e.target.closest(".crm-card");
    if (card) roam(card.dataset.card);
  });
  sort.addEventListener("keydown", (e) => {
    const card = e.target.closest(".crm-card");
    if (!card || e.ctrlKey || e.metaKey || e.altKey) return;
    const id = card.dataset.card;
    const bin = bins[digit(e) - 1];
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
    if (bin) move(id, bin[0], { follow: true });
    else if (["Backspace", "Delete", "0"].includes(e.key)) move(id, "", { follow: true });
    else if (step) inOrder()[inOrder().indexOf(card) + step]?.focus();
    else if (e.key === "Home") inOrder()[0].focus();
    else if (e.key === "End") inOrder().at(-1).focus();
    else if (e.key === "Enter" || e.key === " ") hold(id);
    else if (e.key === "Escape" && holding) hold(holding);
    else return;
    e.preventDefault();
  });
  dragCards(sort, (card, bin) => move(card.dataset.card, bin.dataset.bin));

  for (const id of order) settle(id, answer && answer[id] in task.bins ? answer[id] : "");
  recount();

  const untag = () => sort.querySelectorAll(".crm-belongs").forEach((n) => n.remove());
  return {
    node,
    unit: "张",
    read: () => (Object.keys(placed).length ? { ...placed } : null),
    mark(said) {
      for (const [id, card] of cards) mark(card, said.where[id]);
    },
    clear() {
      untag();
      for (const card of cards.values()) mark(card, undefined);
    },
    solve(solution, open) {
      untag();
      if (!open) return;
      for (const [id, card] of cards) {
        if (card.dataset.mark === "wrong") card.append(h("span.crm-belongs", {}, titleOf(solution.answer[id])));
      }
    },
  };
}

export default { render: (view) => renderTask(view, buildClassify) };
