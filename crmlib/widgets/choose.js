// 选择题。数字键 1–9 选，Enter 检查。

function buildChoose({ task, answer, changed, check }) {
  const picked = new Set(Array.isArray(answer) ? answer : []);
  const name = `crm-${task.id}-${Math.random().toString(36).slice(2)}`;
  const inputs = new Map();
  const labels = new Map();
  Object.entries(task.options).forEach(([option, text], place) => {
    const input = h("input", { type: task.many ? "checkbox" : "radio", name, value: option });
    input.checked = picked.has(option);
    input.addEventListener("change", () => changed());
    inputs.set(option, input);
    labels.set(option, h("label.crm-option", { "data-option": option },
      input, place < 9 ? h("span.crm-key", { "aria-hidden": "true" }, String(place + 1)) : null,
      h("span.crm-text", {}, text)));
  });
  const node = h(".crm-options", { role: task.many ? "group" : "radiogroup", "aria-label": task.title },
    task.many ? h(".crm-help", {}, "可以选几个。") : null, [...labels.values()]);

  node.addEventListener("keydown", (e) => {
    const input = [...inputs.values()][digit(e) - 1];
    if (input) {
      e.preventDefault();
      input.checked = task.many ? !input.checked : true;
      input.focus();
      changed();
    } else if (e.key === "Enter" && !e.ctrlKey && !e.metaKey) check();
  });

  const untag = () => node.querySelectorAll(".crm-belongs").forEach((n) => n.remove());
  return {
    node,
    read() {
      const now = [...inputs].filter(([, input]) => input.checked).map(([option]) => option);
      return now.length ? now : null;
    },
    mark(said) {
      for (const [option, label] of labels) mark(label, said.where[option]);
    },
    clear() {
      untag();
      for (const label of labels.values()) mark(label, undefined);
    },
    solve(solution, open) {
      untag();
      if (open) for (const option of solution.answer) labels.get(option)?.append(h("span.crm-belongs", {}, "应选"));
    },
  };
}

export default { render: (view) => renderTask(view, buildChoose) };
