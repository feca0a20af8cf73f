// 填数题：一行一个空，后面是单位。回车到下一个空，最后一个空按回车就检查。

function buildNumber({ task, answer, graded, changed, check }) {
  const filled = { ...(answer || {}) };
  const rows = new Map();
  const lone = Object.keys(task.blanks).length === 1;
  const needs = [...new Set(Object.values(task.inputs || {}).map((input) => input.task))];

  const list = h(".crm-blanks", {}, Object.entries(task.blanks).map(([name, blank]) => {
    const input = h("input", { type: "text", inputmode: "decimal", maxlength: "40", autocomplete: "off",
      "aria-label": blank.unit ? `${blank.title}，单位${blank.unit}` : blank.title });
    input.value = filled[name] ?? "";
    const row = h("label.crm-blank", { "data-blank": name }, h("span.crm-blank-title", {}, blank.title),
      h("span.crm-box", {}, input), h("span.crm-unit", {}, blank.unit || ""));
    input.addEventListener("input", () => {
      if (input.value.trim()) filled[name] = input.value;
      else delete filled[name];
      row.removeAttribute("data-empty");
      changed({ typing: true });
    });
    rows.set(name, { row, input });
    return row;
  }));
  list.addEventListener("keydown", (e) => {
    if (e.key !== "Enter" || e.ctrlKey || e.metaKey || e.isComposing) return;
    e.preventDefault();
    const inputs = [...rows.values()].map((r) => r.input);
    const next = inputs[inputs.indexOf(e.target) + 1];
    if (next) next.focus();
    else if (!graded) check();
  });
  const node = h(".crm-numbers", {},
    needs.length ? h(".crm-help", {}, `用的是你自己在第 ${needs.join("、")} 题里填的数。那里改了，这里的得数也要跟着改。`) : null, list);

  const untag = () => list.querySelectorAll(".crm-belongs").forEach((n) => n.remove());
  return {
    node,
    unit: lone ? undefined : "空",
    read: () => (Object.keys(filled).length ? { ...filled } : null),
    mark(said) {
      for (const [name, { row, input }] of rows) {
        mark(row, said.where[name]);
        row.toggleAttribute("data-empty", said.state === "empty" && !input.value.trim());
        input.setAttribute("aria-invalid", String(said.where[name] === false));
      }
    },
    clear() {
      untag();
      for (const { row, input } of rows.values()) {
        mark(row, undefined);
        row.removeAttribute("data-empty");
        input.removeAttribute("aria-invalid");
      }
    },
    solve(solution, open) {
      untag();
      for (const [name, { row }] of open ? rows : []) {
        if (row.dataset.mark !== "wrong") continue;
        const unit = task.blanks[name].unit;
        row.append(h("span.crm-belongs", {}, `${solution.answer[name]}${unit ? ` ${unit}` : ""}`));
      }
    },
  };
}

export default { render: (view) => renderTask(view, buildNumber) };
