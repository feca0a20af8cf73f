// 写作题。数字数；练习里交了以后，自己对照评分标准打勾，再看参考答案。

function buildWrite({ task, answer, graded, selfMarks, changed, send }) {
  const least = task.min ?? 0;
  const most = task.max ?? 20000;
  const paper = h("textarea.crm-paper", {
    "aria-label": task.title, rows: "6", maxlength: String(most + 500), placeholder: "写在这里" });
  paper.value = typeof answer === "string" ? answer : "";
  const bar = h("progress", { max: least || most, "aria-hidden": "true" });
  const said = h("span");
  const meter = h(".crm-meter", {}, bar, said);
  const rubric = task.rubric?.length ? h("details.crm-rubric", {}, h("summary", {}, "评分标准：",
    h("span.crm-help", {}, task.rubric.map((r) => r.criterion).join(" · "))),
    task.rubric.map((r) => h(".crm-criterion", {}, h("span", {}, `${r.criterion}（${trim(r.points)} 分）`),
      h(".crm-levels", {}, (r.levels || []).map((level) => h("span.crm-level", {}, level)))))) : null;
  const after = h(".crm-written");
  after.hidden = true;
  const node = h(".crm-written", {}, rubric, h("div", {}, paper, meter), after);

  const count = () => paper.value.replace(/\s/g, "").length;
  function measure() {
    const n = count();
    bar.value = Math.min(n, bar.max);
    const range = least && task.max ? `${least}–${most} 字` : least ? `至少 ${least} 字` : task.max ? `最多 ${most} 字` : "";
    said.textContent = `已写 ${n} 字${range ? `（${range}）` : ""}`;
    meter.dataset.fits = n > most ? "over" : n >= least && n > 0 ? "true" : "false";
  }
  paper.addEventListener("input", () => { measure(); changed({ typing: true }); });
  measure();

  // -- 交了以后 --
  const marks = { ...selfMarks };
  function review(solution) {
    const groups = (task.rubric || []).map((r, i) => {
      const name = `crm-${task.id}-${i}-${Math.random().toString(36).slice(2)}`;
      const levels = r.levels?.length ? r.levels : ["还没有做到", "做到了"];
      return h("fieldset.crm-criterion", {}, h("legend.crm-unseen", {}, r.criterion),
        h("span", { "aria-hidden": "true" }, r.criterion), h(".crm-levels", {}, levels.map((level, k) => {
          const box = h("input", { type: "radio", name, value: String(k) });
          box.checked = marks[i] === k;
          box.addEventListener("change", () => {
            marks[i] = k;
            send({ do: "self", marks: { ...marks } });
            reveal();
          });
          return h("label.crm-level", {}, box, level);
        })));
    });
    const sampleBox = h(".crm-beside", {});
    const wait = h(".crm-help", {}, "每一条都选好，就能看参考答案。");
    const reveal = () => {
      const done = groups.every((_, i) => marks[i] !== undefined);
      wait.hidden = done;
      sampleBox.hidden = !done;
      if (!done || sampleBox.childElementCount) return;
      const own = sample("你写的", paper.value.trim());
      own.style.cssText = "border-color: var(--line); background: var(--soft)";
      own.firstChild.style.color = "inherit";
      sampleBox.append(own, sample("参考答案（不是唯一的写法）", solution.text));
    };
    after.replaceChildren(groups.length ? h(".crm-rubric", {}, h("strong", {}, "给自己打分：对照你写的，选最像的一项"), groups, wait) : "", sampleBox);
    after.hidden = false;
    reveal();
  }
  return {
    node,
    read: () => (paper.value.trim() ? paper.value : null),
    mark(result) {
      if (result.solution) review(result.solution);
    },
    clear() {
      after.hidden = true;
      after.replaceChildren();
    },
    solve() {},
  };
}

export default { render: (view) => renderTask(view, buildWrite) };
