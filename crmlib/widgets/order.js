// 排序题：一列卡片，拖到该在的位置；也可以点箭头，或者用键盘。

function buildOrder({ task, answer, changed, say }) {
  const cards = new Map(task.shown.map((id) => [id, cardNode(id, task.items[id])]));
  const whole = (list) => Array.isArray(list) && list.length === cards.size && list.every((id) => cards.has(id));
  let touched = whole(answer); // 一次也没动过，就还不是答案
  let order = touched ? [...answer] : [...task.shown];
  let held = null; // 按空格拿起来的卡片
  let before = null; // 拿起来以前的次序，Esc 时放回去
  let current = order[0];

  for (const [id, card] of cards) {
    card.classList.add("crm-step");
    const arrow = (label, sign, step) => h("button.crm-plain", { type: "button", tabindex: "-1", title: label, "aria-hidden": "true",
      onclick: (e) => { e.stopPropagation(); shift(id, step); } }, sign);
    card.prepend(h("span.crm-place", { "aria-hidden": "true" }));
    card.append(h("span.crm-arrows", {}, arrow("往前挪", "▲", -1), arrow("往后挪", "▼", 1)));
  }
  const list = h(".crm-order.crm-drop", { role: "group", "aria-label": "从先到后" }, [...cards.values()]);
  const keep = h("button.crm-plain", { type: "button", onclick: () => settle() }, "我看过了，就这样排");
  const help = h(".crm-help", {}, "上面是先，下面是后。拖动卡片，或者点 ▲ ▼。键盘：", h("kbd", {}, "↑ ↓"), " 换一张，",
    h("kbd", {}, "Alt + ↑ ↓"), " 挪一步，", h("kbd", {}, `1–${Math.min(9, order.length)}`), " 放到第几步，", h("kbd", {}, "空格"), " 拿起、放下。");
  const node = h("div", {}, help, list, keep);

  const nameOf = (id) => cardOf(task.items[id]).text;

  function draw() {
    const active = document.activeElement;
    order.forEach((id, place) => {
      const card = cards.get(id);
      if (list.children[place] !== card) list.insertBefore(card, list.children[place] || null);
      card.querySelector(".crm-place").textContent = touched ? String(place + 1) : "·";
      card.tabIndex = id === current ? 0 : -1;
      card.setAttribute("aria-label", `第 ${place + 1} 步，${nameOf(id)}`);
      card.setAttribute("aria-pressed", String(id === held));
    });
    if (list.contains(active) && document.activeElement !== active) active.focus(); // 挪动会丢焦点
    keep.hidden = touched;
    list.toggleAttribute("data-touched", touched);
  }
  function settle() {
    touched = true;
    draw();
    changed();
  }
  function place(id, to) {
    const at = Math.max(0, Math.min(order.length - 1, to));
    const moved = order.indexOf(id) !== at;
    order = order.filter((other) => other !== id);
    order.splice(at, 0, id);
    current = id;
    if (moved) settle();
    else draw();
    say(`“${nameOf(id)}”，第 ${at + 1} 步，一共 ${order.length} 步。`);
  }
  const shift = (id, step) => place(id, order.indexOf(id) + step);
  function grab(id) {
    held = held === id ? null : id;
    before = held ? [...order] : null;
    draw();
    say(held ? "拿起来了。用上下键挪，再按空格放下。" : "放下了。");
  }

  list.addEventListener("focusin", (e) => {
    const card = e.target.closest(".crm-card");
    if (!card) return;
    current = card.dataset.card;
    if (held && held !== current) held = null;
    draw();
  });
  list.addEventListener("keydown", (e) => {
    const card = e.target.closest(".crm-card");
    if (!card || e.ctrlKey || e.metaKey) return;
    const id = card.dataset.card;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step && (e.altKey || held === id)) shift(id, step);
    else if (e.altKey) return;
    else if (step) cards.get(order[order.indexOf(id) + step])?.focus();
    else if (digit(e) && digit(e) <= order.length) place(id, digit(e) - 1);
    else if (e.key === "Home") cards.get(order[0]).focus();
    else if (e.key === "End") cards.get(order.at(-1)).focus();
    else if (e.key === "Enter" || e.key === " ") grab(id);
    else if (e.key === "Escape" && held) {
      order = before;
      held = null;
      settle();
      say("放回原处了。");
    } else return;
    e.preventDefault();
    e.stopPropagation();
  });

  // 拖动时别的卡片让开；放在外面或按 Esc，就回到原处
  dragCards(list, (card) => place(card.dataset.card, [...list.children].indexOf(card)));
  list.addEventListener("pointermove", (e) => {
    const card = list.querySelector(".crm-card[data-dragging]");
    if (!card) return;
    const rest = [...list.children].filter((other) => other !== card);
    const next = rest.find((other) => {
      const box = other.getBoundingClientRect();
      return e.clientY < box.top + box.height / 2;
    }) || null;
    if (card.nextElementSibling !== next) list.insertBefore(card, next);
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) list.addEventListener(type, () => draw());
  draw();

  const untag = () => list.querySelectorAll(".crm-belongs").forEach((n) => n.remove());
  return {
    node,
    read: () => (touched ? [...order] : null),
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
      solution.answer.forEach((id, at) => {
        if (order[at] !== id) cards.get(id).querySelector(".crm-arrows").before(h("span.crm-belongs", {}, `第 ${at + 1} 步`));
      });
    },
  };
}

export default { render: (view) => renderTask(view, buildOrder) };
