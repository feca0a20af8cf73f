// 代码题：在旁边的单元格里写代码，运行，再点“检查”。这里只看变量的值。

function buildCode({ task, answer }) {
  const lines = new Map(Object.entries(task.names).map(([name, title]) => {
    const value = h("span.crm-value", { "data-name": name });
    return [name, { value, node: h(".crm-name", {}, h("code", {}, name), h("span", {}, title), value) }];
  }));
  let now = null;
  const show = (values) => {
    now = values;
    for (const [name, { value }] of lines) {
      const has = values && name in values;
      value.textContent = has ? JSON.stringify(values[name]) : "";
    }
  };
  show(answer);
  const node = h("div", {}, task.starter ? h("pre", {}, h("code", {}, task.starter)) : null,
    h(".crm-names", {}, [...lines.values()].map((line) => line.node)));
  return {
    node,
    read: () => now,
    update: show, // 检查时，内核送来变量的值
    mark(said) {
      for (const [name, line] of lines) mark(line.node, said.where[name]);
    },
    clear() {
      node.querySelector(".crm-sample")?.remove();
      for (const line of lines.values()) mark(line.node, undefined);
    },
    solve(solution, open) {
      node.querySelector(".crm-sample")?.remove();
      if (open) node.append(sample("参考答案", solution.text));
    },
  };
}

export default { render: (view) => renderTask(view, buildCode) };
