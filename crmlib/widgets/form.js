// 填表题。格子有五种：text long number choose cards；下面可以有随填随算的合计。

function buildForm({ task, answer, changed, say }) {
  const columns = task.columns;
  const free = !Array.isArray(task.rows);
  const titled = !free && task.rows.some((row) => row.title) && !columns.some((c) => c.id === "title");
  const least = free ? Math.max(1, task.rows.min ?? 1) : 0;
  const most = free ? task.rows.max ?? 30 : 0;
  const filled = structuredClone(answer || {}); // {行: {列: 值}}，照学生打的原样
  const cells = new Map(); // "行.列" → td
  let order = [];
  let marks = {};

  const body = h("tbody");
  const head = h("tr", {}, titled ? h("th", { scope: "col" }, "") : null,
    columns.map((c) => {
      const th = h("th", { scope: "col" }, c.title || c.id);
      if (c.width) th.style.width = typeof c.width === "number" ? `${c.width}em` : c.width;
      else if (c.type === "number") th.style.width = "6.5em";
      return th;
    }), free ? h("th", { scope: "col", style: "width: 2.6em" }, unseen("删除")) : null);
  const table = h("table.crm-table", {}, h("thead", {}, head), body);
  const adder = h("button.crm-button.crm-adder", { type: "button", onclick: () => add(true) }, "＋ 加一行");
  const live = h(".crm-live");
  const node = h("div", {}, table, free ? adder : null, task.show?.length ? live : null);
  if (task.show?.length) live.style.marginTop = ".7em";

  const given = (row) => (free ? {} : task.rows.find((r) => r.id === row));
  const raw = (row, column) => given(row)[column] ?? filled[row]?.[column];

  function put(row, column, value, how) {
    filled[row] ??= {};
    if (value === "" || value?.length === 0) delete filled[row][column];
    else filled[row][column] = value;
    if (!Object.keys(filled[row]).length) delete filled[row];
    total();
    changed(how);
  }

  // -- 一格 --
  function cell(row, column, place) {
    const label = `${given(row).title || `第 ${place + 1} 行`}，${column.title || column.id}`;
    const td = h("td", { "data-title": column.title || column.id, "data-type": column.type || "text" });
    if (given(row)[column.id] !== undefined) {
      td.append(h(".crm-given", {}, shown(column, given(row)[column.id])));
      return td;
    }
    cells.set(`${row}.${column.id}`, td);
    const make = { long, number, choose, cards }[column.type] || text;
    td.append(make(row, column, label, td));
    return td;
  }
  function shown(column, value) {
    if (column.type === "choose") return column.options[value] ?? String(value);
    if (column.type === "cards") return [].concat(value).map((c) => cardOf(column.cards[c] ?? c).text).join("；");
    return `${value}${typeof value === "number" && column.unit ? ` ${column.unit}` : ""}`;
  }
  function typed(input, row, column) {
    input.value = filled[row]?.[column.id] ?? "";
    input.addEventListener("input", () => put(row, column.id, input.value, { typing: true }));
    return input;
  }
  const boxed = (control, unit) => h(".crm-cell", {}, h(".crm-box", {}, control), unit ? h("span.crm-unit", {}, unit) : null);
  const text = (row, column, label) =>
    boxed(typed(h("input", { type: "text", maxlength: "2000", autocomplete: "off", "aria-label": label }), row, column));
  const long = (row, column, label) =>
    boxed(typed(h("textarea", { rows: "2", maxlength: "2000", "aria-label": label }), row, column));
  function number(row, column, label, td) {
    const input = typed(h("input", {
      type: "text", inputmode: "decimal", maxlength: "40", autocomplete: "off", "aria-label": label }), row, column);
    const look = () => proofread(td, input, column);
    td.proofread = look;
    input.addEventListener("input", () => { if ("fault" in td.dataset) look(); });
    input.addEventListener("blur", look);
    queueMicrotask(look);
    return boxed(input, column.unit);
  }
  // 离开格子时：不是数就说怎么写；写法特别（全角、％）就说读成了几
  function proofread(td, input, column) {
    td.querySelectorAll(".crm-fault, .crm-read").forEach((n) => n.remove());
    const said = numberFault(column, input.value);
    td.toggleAttribute("data-fault", Boolean(said));
    input.setAttribute("aria-invalid", String(Boolean(said)));
    const value = readNumber(input.value, column.unit);
    if (said) td.append(h(".crm-fault", { role: "alert" }, said));
    else if (value !== null && !/^-?[\d.]+$/.test(input.value)) td.append(h(".crm-read", {}, `读作 ${+value.toPrecision(12)}`));
  }
  function numberFault(column, typedText) {
    if (!typedText.trim()) return "";
    const value = readNumber(typedText, column.unit);
    if (value === null) return "要写一个数，例如 0.25 或 25%";
    const { min, max } = column;
    return (min !== undefined && value < min) || (max !== undefined && value > max)
      ? `要在 ${min ?? "…"} 到 ${max ?? "…"} 之间` : "";
  }
  function choose(row, column, label) {
    const value = filled[row]?.[column.id];
    const select = h("select", { "aria-label": label }, h("option", { value: "" }, "选一个…"),
      Object.entries(column.options).map(([id, title]) => h("option", { value: id }, title)));
    select.value = value in column.options ? value : "";
    select.addEventListener("change", () => put(row, column.id, select.value));
    return boxed(select);
  }

  // -- 选卡片的格子：格子里是选中的，点开在下面挑 --
  function cards(row, column, label, td) {
    const chips = h(".crm-chips");
    const opener = h("button.crm-plain", { type: "button", "aria-expanded": "false", "aria-label": `${label}，选卡片` }, "＋ 选卡片");
    const picked = () => (Array.isArray(filled[row]?.[column.id]) ? filled[row][column.id] : []);
    const draw = () => {
      chips.replaceChildren(...picked().filter((c) => c in column.cards).map((c) => {
        const { text: words } = cardOf(column.cards[c]);
        return h("span.crm-chip", { title: words, "data-card": c }, h("span", {}, words),
          h("button", { type: "button", "aria-label": `去掉：${words}`, onclick: () => toggle(c, false) }, "×"));
      }), opener);
    };
    const toggle = (c, on) => {
      const rest = picked().filter((x) => x !== c);
      put(row, column.id, on ? [...rest, c] : rest);
      draw();
      fit();
      panel?.querySelectorAll("input[type=checkbox]").forEach((box) => { box.checked = picked().includes(box.value); });
      if (!on && !panel) opener.focus();
    };
    let panel = null;
    const close = () => {
      panel?.remove();
      panel = null;
      opener.setAttribute("aria-expanded", "false");
      opener.focus();
    };
    opener.addEventListener("click", () => {
      if (panel) return close();
      const options = Object.entries(column.cards).map(([c, card]) => {
        const { text: words, note } = cardOf(card);
        const box = h("input", { type: "checkbox", value: c, onchange: () => toggle(c, box.checked) });
        box.checked = picked().includes(c);
        return h("label.crm-pick", { "data-card": c }, box, h("span", {}, words, note ? h("span.crm-note", {}, note) : null));
      });
      const search = h("input", { type: "search", placeholder: "找一找：打几个字", "aria-label": "按文字找卡片", oninput: () => {
        for (const option of options) option.hidden = !option.textContent.includes(search.value.trim());
      } });
      panel = h("tr.crm-picker", {}, h("td.crm-wide", { colSpan: columns.length + titled + free, "aria-label": label },
        h(".crm-picker-head", {}, h("strong", {}, label), options.length > 8 ? search : null,
          h("button.crm-button", { type: "button", onclick: close }, "选好了")),
        h(".crm-picks", {}, options)));
      panel.addEventListener("keydown", (e) => { if (e.key === "Escape") close(); });
      td.closest("tr").after(panel);
      opener.setAttribute("aria-expanded", "true");
      panel.querySelector("input").focus();
    });
    draw();
    return boxed(chips);
  }

  // -- 行 --
  function line(row, place) {
    return h("tr", { "data-row": row },
      titled ? h("th", { scope: "row" }, given(row).title || "") : null,
      columns.map((c) => cell(row, c, place)),
      free ? h("td", { "data-type": "remove" }, h("button.crm-plain", {
        type: "button", "aria-label": `删除第 ${place + 1} 行`, title: "删除这一行", onclick: () => remove(row) }, "✕")) : null);
  }
  function draw() {
    cells.clear();
    body.replaceChildren(...order.map(line));
    adder.hidden = order.length >= most;
    body.querySelectorAll("[data-type=remove] button").forEach((b) => { b.hidden = order.length <= least; });
    for (const [name, td] of cells) mark(td, marks[name]);
    total();
    fit();
  }
  // 放得下就是表，放不下就一行叠成一块
  let width = 0;
  function fit() {
    node.removeAttribute("data-stacked");
    node.toggleAttribute("data-stacked", table.scrollWidth > node.clientWidth + 1);
  }
  new ResizeObserver(() => {
    if (node.clientWidth === width) return;
    width = node.clientWidth;
    fit();
  }).observe(node);
  function add(focus) {
    let n = 1;
    while (order.includes(`r${n}`)) n += 1;
    order.push(`r${n}`);
    if (!focus) return;
    draw();
    body.lastChild.querySelector("input, textarea, select, button")?.focus();
    say(`加了一行，现在有 ${order.length} 行。`);
  }
  function remove(row) {
    order = order.filter((r) => r !== row);
    delete filled[row];
    draw();
    changed();
    adder.focus();
    say(`删了一行，还有 ${order.length} 行。`);
  }

  // -- 随填随算 --
  function total() {
    live.replaceChildren(...(task.show || []).map(({ label, sum_of, decimals = 2 }) => {
      const values = order.map((row) => formula(sum_of, Object.fromEntries(
        columns.map((c) => [c.id, readNumber(raw(row, c.id), c.unit)]))));
      const ready = values.filter((v) => v !== null);
      const left = values.length - ready.length;
      return h("span", {}, `${label}：`, h("output", {}, ready.length ? ready.reduce((a, b) => a + b, 0).toFixed(decimals) : "—"),
        left && ready.length ? h("span.crm-help", {}, `（还差 ${left} 行）`) : null);
    }));
  }

  // Enter 到下一行的同一列，和电子表格一样
  body.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.ctrlKey || e.metaKey || e.target.tagName !== "INPUT" || e.target.closest(".crm-picker")) return;
    e.preventDefault();
    const td = e.target.closest("td");
    const below = td.parentElement.nextElementSibling?.children[td.cellIndex];
    below?.querySelector("input, textarea, select")?.focus();
  });

  order = free ? Object.keys(filled).filter((r) => /^r\d{1,3}$/.test(r)).slice(0, most) : task.rows.map((r) => r.id);
  while (free && order.length < least) add(false);
  draw();

  return {
    node,
    unit: "格",
    read: () => (Object.keys(filled).length ? structuredClone(filled) : null),
    mark(said) {
      marks = said.where;
      for (const [name, td] of cells) {
        mark(td, marks[name]);
        td.proofread?.();
      }
      if (said.state !== "empty") return;
      for (const row of order) {
        for (const column of task.required) {
          const value = raw(row, column);
          if (value === undefined || value.length === 0) cells.get(`${row}.${column}`)?.setAttribute("data-missing", "");
        }
      }
    },
    clear() {
      marks = {};
      for (const td of cells.values()) {
        mark(td, undefined);
        td.removeAttribute("data-missing");
      }
      node.querySelector(".crm-sample")?.remove();
    },
    solve(solution, open) {
      node.querySelector(".crm-sample")?.remove();
      if (open) node.append(sample("参考答案（满足全部要求的一种填法）", solution.text));
    },
  };
}

export default { render: (view) => renderTask(view, buildForm) };
