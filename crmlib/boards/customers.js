// 客户分类板：点一把刀，24 张卡重新站队，下面的表跟着翻。全在浏览器里算，和 crmlib/boards/customers.py 说的一样。

const REST = { id: null, name: "这一刀不分", trait: "" };

/** 切一刀（或两刀）以后的各类：[{bin, cards, inner: [{bin, cards}]}]。 */
function splitCards(board, first, second) {
  const cut = (cards, at, rest) => [...board.cuts[at].bins, { ...REST, name: rest }]
    .map((bin) => ({ bin, cards: cards.filter((c) => (board.cuts[at].of[c.id] ?? null) === bin.id) }))
    .filter((group) => group.bin.id !== null || group.cards.length);
  return cut(board.cards, first, REST.name).map((group) => ({
    ...group, inner: second === null ? [] : cut(group.cards, second, "—").filter((g) => g.cards.length),
  }));
}

const moneyOf = (cards) => cards.reduce((sum, c) => sum + c.money, 0);
const wan = (money) => `${(money / 10000).toFixed(1)} 万元`;

function renderCustomers(board) {
  const total = moneyOf(board.cards);
  const biggest = Math.max(...board.cards.map((c) => c.money), 1);
  let first = 0;
  let second = null;
  let picked = null;

  const chips = new Map(board.cards.map((card) => [card.id, h("button.crm-person", {
    type: "button", "data-card": card.id, "aria-pressed": "false",
    "aria-label": `${card.text}。2025 年付 ${card.money} 元`,
    style: `--side:${(1.5 + 3.4 * Math.sqrt(card.money / biggest)).toFixed(2)}em`,
    onclick: () => { picked = picked === card.id ? null : card.id; draw(); },
  }, h("span.crm-square", { "aria-hidden": "true" }, card.money >= 10000 ? trim(Math.round(card.money / 1000) / 10) : ""),
  h("span.crm-short", {}, card.name))]));

  const tabs = h(".crm-cuts", { role: "radiogroup", "aria-label": "按什么分" }, board.cuts.map((cut, at) => h("button.crm-cut", {
    type: "button", role: "radio", onclick: () => { first = at; if (second === at) second = null; draw(true); },
  }, h("kbd", { "aria-hidden": "true" }, String(at + 1)), cut.title)));
  const more = h("select", { "aria-label": "里面再切一刀", onchange: () => { second = more.value === "" ? null : Number(more.value); draw(true); } });
  const groups = h(".crm-groups");
  const about = h(".crm-about", { role: "status" });
  const body = h("tbody");
  const table = h("table.crm-sums", {}, h("thead", {}, h("tr", {}, ["类", "几张卡", "一年付的运费", "占全部运费", "最在意什么"].map((t) => h("th", { scope: "col" }, t)))), body);
  const spoken = h("span.crm-unseen", { "aria-live": "polite" });

  const row = (name, cards, trait, inner) => h("tr", inner ? { "data-inner": "" } : {},
    h("th", { scope: "row" }, name), h("td", {}, String(cards.length)), h("td", {}, wan(moneyOf(cards))),
    h("td.crm-share", {}, h("span.crm-part", { "aria-hidden": "true", style: `width:${total ? (70 * moneyOf(cards)) / total : 0}%` }),
      h("span", {}, `${total ? ((100 * moneyOf(cards)) / total).toFixed(1) : "0.0"}%`)), h("td.crm-trait", {}, trait));

  function draw(moved = false) {
    const before = new Map([...chips].map(([id, chip]) => [id, chip.getBoundingClientRect()]));
    [...tabs.children].forEach((tab, at) => {
      tab.setAttribute("aria-checked", String(at === first));
      tab.tabIndex = at === first ? 0 : -1;
    });
    more.replaceChildren(h("option", { value: "" }, "不再切"), ...board.cuts.map((cut, at) => h("option", { value: String(at), disabled: at === first }, cut.title)));
    more.value = second === null ? "" : String(second);
    const split = splitCards(board, first, second);
    const held = document.activeElement;
    groups.replaceChildren(...split.map(({ bin, cards, inner }) => h(".crm-group", { "data-bin": bin.id ?? "", style: `flex-grow: ${Math.max(cards.length, 2)}` },
      h(".crm-group-head", {}, h("strong", {}, bin.name), h("span", {}, `${cards.length} 张 · ${wan(moneyOf(cards))}`)),
      (inner.length ? inner : [{ bin: null, cards }]).map((g) => h(".crm-twig", {}, g.bin ? h(".crm-twig-name", {}, `${g.bin.name} ${g.cards.length}`) : null,
        h(".crm-pile", {}, [...g.cards].sort((a, b) => b.money - a.money).map((c) => chips.get(c.id))))))));
    body.replaceChildren(...split.flatMap(({ bin, cards, inner }) => [row(bin.name, cards, bin.trait),
      ...inner.filter((g) => g.bin.id !== null || inner.length > 1).map((g) => row(g.bin.name, g.cards, g.bin.trait, true))]));
    for (const [id, chip] of chips) chip.setAttribute("aria-pressed", String(id === picked));
    const card = board.cards.find((c) => c.id === picked);
    about.textContent = card ? `${card.text}。2025 年付 ${card.money.toLocaleString("zh-CN")} 元。` : "点一张卡，看他是谁。方块越大，一年付的运费越多；格子里的数是万元。";
    if (chips.has(held?.dataset?.card)) held.focus({ preventScroll: true });
    if (!moved) return;
    spoken.textContent = `${board.cuts[first].title}：${split.map((g) => `${g.bin.name} ${g.cards.length} 张，${wan(moneyOf(g.cards))}`).join("；")}。`;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    for (const [id, chip] of chips) { // 从原来的地方走到新的地方
      const [old, now] = [before.get(id), chip.getBoundingClientRect()];
      if (old.width) chip.animate([{ transform: `translate(${old.left - now.left}px, ${old.top - now.top}px)` }, { transform: "none" }], { duration: 420, easing: "ease-in-out" });
    }
  }

  table.toggleAttribute("data-plain", !board.cuts.some((cut) => cut.bins.some((bin) => bin.trait)));

  const root = h("section.crm-look.crm-task.crm-board.crm-customers", { "aria-label": "客户分类板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "客户分类板"), h("span.crm-help", {}, board.notices.join(""))),
    h(".crm-inside", {}, h(".crm-knives", {}, tabs, h("label.crm-again", {}, "里面再切一刀 ", more)), groups, about, table, spoken));
  root.addEventListener("keydown", (e) => {
    const at = digit(e) - 1;
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (e.target === more) return;
    if (board.cuts[at]) { first = at; if (second === at) second = null; } else if (step && tabs.contains(e.target)) {
      first = (first + step + board.cuts.length) % board.cuts.length;
      if (second === first) second = null;
    } else return;
    draw(true);
    if (tabs.contains(e.target)) tabs.children[first].focus();
    e.preventDefault();
    e.stopPropagation();
  });
  draw();
  return root;
}

export default boardWidget(renderCustomers);
