// 投诉台：排先后，看几点轮到谁。全在浏览器里算，和 crmlib/boards/desk.py 说的一样。

// ---- 算 ----

function sortTickets(board, how) {
  const grades = Object.keys(board.levels);
  const keys = {
    came: (t) => t.order, loss: (t) => -t.loss, loud: (t) => board.severity.indexOf(t.severity),
    level: (t) => (t.level ? grades.indexOf(t.level) : grades.length),
  };
  return [...board.tickets].sort((a, b) => keys[how](a) - keys[how](b) || a.order - b.order).map((t) => t.id);
}

/** 每张单：第一句话、开始办、办完，各在几点（一天里的第几分钟）。 */
function planDay(board, order, hello) {
  const [opening, lunch, back] = board.hours;
  const clock = (worked) => opening + worked + (opening + worked > lunch ? back - lunch : 0);
  const minutes = Object.fromEntries(board.tickets.map((t) => [t.id, t.minutes]));
  const said = {};
  let worked = 0;
  if (hello) for (const id of order) said[id] = clock((worked += board.first));
  const times = {};
  for (const id of order) {
    const begun = worked;
    worked += minutes[id] + (hello ? 0 : board.first);
    times[id] = { said: said[id] ?? clock(begun + board.first), begun: clock(begun), done: clock(worked) };
  }
  return times;
}

const hour = (minute) => `${Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`;
const worth = (title, x, none) => (x ? `${title} ${trim(x)} 元` : none);
const leftText = (days) => (days < 0 ? `超期 ${-days} 天` : days === 0 ? "今天到期" : `还剩 ${days} 天`);

// ---- 画 ----

/** held：排好的次序、开关；学生补了答案、板子重画时，手上的事不丢。 */
function renderDesk(board, held) {
  const [opening, , , soon] = board.hours;
  const span = 10 * 60; // 时间条画 10 小时
  const at = (minute) => `${Math.min(100, (100 * (minute - opening)) / span).toFixed(2)}%`;
  const tickets = Object.fromEntries(board.tickets.map((t) => [t.id, t]));
  let { order, hello, told } = { order: sortTickets(board, "came"), hello: false, told: false, ...held };
  let current = order[0];

  const cards = new Map(board.tickets.map((t) => {
    const arrow = (label, sign, step) => h("button.crm-plain", { type: "button", tabindex: "-1", title: label,
      "aria-hidden": "true", onclick: () => move(t.id, order.indexOf(t.id) + step) }, sign);
    const bar = h(".crm-desk-bar", { "aria-hidden": "true" }, h("i.crm-desk-soon"), h("i.crm-desk-said"), h("i.crm-desk-work"));
    const card = h(".crm-card.crm-ticket", { "data-card": t.id, role: "button", tabindex: "-1", "data-level": t.level || "" },
      h("span.crm-place", { "aria-hidden": "true" }), h("span.crm-grip", { "aria-hidden": "true" }),
      h("span.crm-ticket-text", {}, h("b", {}, t.id), h("span.crm-desk-level", {}, t.level ? board.levels[t.level] : "没定"), ` ${t.words}`,
        h("span.crm-note", {}, `${t.came}｜${t.channel}｜${t.severity}｜${worth("损失", t.loss, "没有货损")}｜${worth("保价", t.insured, "没保价")}`
          + (t.signed ? `｜${t.signed} 签收` : ""))),
      h("span.crm-left", { "data-over": t.left < 0 ? "" : undefined, "data-today": t.left === 0 ? "" : undefined }, leftText(t.left)),
      h("span.crm-desk-time", {}, bar, h("span.crm-desk-clock")),
      h("span.crm-arrows", {}, arrow("往前挪", "▲", -1), arrow("往后挪", "▼", 1)),
      h("span.crm-then"));
    return [t.id, card];
  }));
  const list = h(".crm-desk.crm-drop", { role: "group", "aria-label": "从先到后办" }, [...cards.values()]);
  const sorts = Object.entries(board.sorts).map(([how, title]) => h("button.crm-button.crm-desk-sort", {
    type: "button", "data-sort": how, disabled: how === "level" && !board.tickets.some((t) => t.level), onclick: () => { order = sortTickets(board, how); draw(); },
  }, title));
  const greet = h("button.crm-flip", { type: "button", role: "switch", "aria-checked": "false",
    onclick: () => { hello = !hello; draw(); } }, h("span.crm-knob", { "aria-hidden": "true" }), "先都回一句话");
  const open = h("button.crm-button.crm-desk-reveal", { type: "button", "aria-expanded": "false",
    onclick: () => { told = !told; draw(); } });
  const figures = ["2 小时内听到第一句话", "最晚的第一句话", "到期的单子最晚办完", "全部办完"].map((title) => {
    const number = h("b");
    return { node: h(".crm-desk-figure", {}, number, h("span", {}, title)), number };
  });
  const news = h(".crm-unseen", { role: "status", "aria-live": "polite" });

  function move(id, to) {
    const place = Math.max(0, Math.min(order.length - 1, to));
    order = order.filter((other) => other !== id);
    order.splice(place, 0, id);
    current = id;
    draw();
  }

  function draw() {
    Object.assign(held, { order, hello, told });
    const active = document.activeElement;
    const times = planDay(board, order, hello);
    order.forEach((id, place) => {
      const [card, time, t] = [cards.get(id), times[id], tickets[id]];
      if (list.children[place] !== card) list.insertBefore(card, list.children[place] || null);
      card.querySelector(".crm-place").textContent = String(place + 1);
      card.tabIndex = id === current ? 0 : -1;
      const style = card.querySelector(".crm-desk-bar").style;
      style.setProperty("--said", at(time.said));
      style.setProperty("--begun", at(time.begun));
      style.setProperty("--done", at(time.done));
      style.setProperty("--soon", at(soon));
      card.toggleAttribute("data-waits", time.said > soon);
      card.querySelector(".crm-desk-clock").textContent = `${hour(time.said)} 回话，${hour(time.done)} 办完`;
      const then = t.then;
      card.querySelector(".crm-then").textContent = told
        ? `当时：赔了 ${trim(then.paid)} 元，${then.result}${then.days === null ? "" : `，用了 ${then.days} 天`}`
          + `${then.mood === null ? "" : `，打 ${then.mood} 分`}${t.pay === null ? "" : `。${board.pay_title}：${trim(t.pay)} 元`}` : "";
      card.setAttribute("aria-label", `第 ${place + 1} 张，${t.id}，${t.words}，${leftText(t.left)}，`
        + card.querySelector(".crm-desk-clock").textContent + (told ? `。${card.querySelector(".crm-then").textContent}` : ""));
    });
    if (list.contains(active) && document.activeElement !== active) active.focus();
    const all = Object.entries(times);
    const due = all.filter(([id]) => tickets[id].left <= 0).map(([, time]) => time.done);
    const heard = all.filter(([, time]) => time.said <= soon).length;
    const said = [`${heard} / ${all.length} 人`, hour(Math.max(...all.map(([, t]) => t.said))),
      due.length ? hour(Math.max(...due)) : "没有", hour(Math.max(...all.map(([, t]) => t.done)))];
    figures.forEach(({ number }, i) => { number.textContent = said[i]; });
    figures[0].node.toggleAttribute("data-low", heard < all.length);
    greet.setAttribute("aria-checked", String(hello));
    for (const button of sorts) {
      const same = sortTickets(board, button.dataset.sort).join() === order.join();
      button.setAttribute("aria-pressed", String(same && !button.disabled));
    }
    open.textContent = told ? "盖上" : "揭开：当时怎么办的";
    open.setAttribute("aria-expanded", String(told));
    news.textContent = `${said[0]}在 2 小时内听到第一句话，到期的单子最晚 ${said[2]} 办完。`;
  }

  list.addEventListener("focusin", (e) => {
    const card = e.target.closest(".crm-card");
    if (card && card.dataset.card !== current) { current = card.dataset.card; draw(); }
  });
  list.addEventListener("keydown", (e) => {
    const card = e.target.closest(".crm-card");
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!card || e.ctrlKey || e.metaKey) return;
    const place = order.indexOf(card.dataset.card);
    if (step && e.altKey) move(card.dataset.card, place + step);
    else if (step) cards.get(order[place + step])?.focus();
    else if (!e.altKey && digit(e) && digit(e) <= order.length) move(card.dataset.card, digit(e) - 1);
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  dragCards(list, (card) => move(card.dataset.card, [...list.children].indexOf(card)));
  list.addEventListener("pointermove", (e) => {
    const card = list.querySelector(".crm-card[data-dragging]");
    if (!card) return;
    const next = [...list.children].filter((other) => other !== card).find((other) => {
      const box = other.getBoundingClientRect();
      return e.clientY < box.top + box.height / 2;
    }) || null;
    if (card.nextElementSibling !== next) list.insertBefore(card, next);
  });
  for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) list.addEventListener(type, () => draw());

  const root = h("section.crm-look.crm-task.crm-board", { "aria-label": "投诉台" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, `投诉台　${board.day} 8:30`),
      h("span.crm-help", {}, board.notices.join(""))),
    h(".crm-inside", {},
      h(".crm-desk-tools", {}, sorts, greet, open),
      h(".crm-desk-figures", {}, figures.map((f) => f.node)),
      list,
      h(".crm-help", {}, "拖动单子，或者点 ▲ ▼。键盘：", h("kbd", {}, "↑ ↓"), " 换一张，", h("kbd", {}, "Alt + ↑ ↓"), " 挪一步，",
        h("kbd", {}, `1–${Math.min(9, order.length)}`), " 挪到第几张。色条是在办的时间，圆点是第一句话，竖线是 10:30。"),
      news));
  keepKeys(root);
  draw();
  return root;
}

export default boardWidget(renderDesk);
