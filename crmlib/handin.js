// 交作业的面板：先存盘，再检查；写上学号，打成 zip。

/** 请 JupyterLab 把笔记本存盘；不在课程的 JupyterLab 里，就请学生自己存。 */
async function saveNotebook(root) {
  const asked = { saved: null };
  root.dispatchEvent(new CustomEvent("crm:save", { bubbles: true, detail: asked }));
  if (!asked.saved) return false;
  try {
    await asked.saved;
    return true;
  } catch {
    return false;
  }
}

function render({ model, el }) {
  const found = h(".crm-found", { "aria-live": "polite" });
  const done = h(".crm-done", { role: "status" });
  const who = h("input.crm-who", { type: "text", maxlength: "40", placeholder: "学号或姓名", "aria-label": "学号或姓名" });
  const check = h("button.crm-plain", { type: "button" }, "再检查一遍");
  const pack = h("button.crm-button", { type: "button" }, "打包");
  const root = h("section.crm-look.crm-task.crm-handin", { "aria-label": "交作业" },
    h("header.crm-head", {}, h("span.crm-tag", {}, "交作业"),
      h("span.crm-title", { role: "heading", "aria-level": "3" }, "检查一遍，打成 zip")),
    h(".crm-inside", {}, found,
      h("footer.crm-foot", {}, who, pack, check), done));

  function showLook() {
    const { damage = [], open = [] } = model.get("look");
    const list = (title, kind, lines) => lines.length
      ? [h("p", { "data-kind": kind }, title), h("ul", {}, lines.map((line) => h("li", {}, line)))] : [];
    found.replaceChildren(...list("要留意：", "damage", damage), ...list(`还有 ${open.length} 题没有答好：`, "open", open),
      ...(damage.length || open.length ? [h("p.crm-quiet", {}, "能补就补上。补不了也可以交。")]
        : [h("p", { "data-kind": "fine" }, "✓ 文件齐全，每道题都答了。")]));
  }
  function showPacked() {
    const packed = model.get("packed");
    const lines = packed.trouble ? [h("p", { "data-kind": "damage" }, packed.trouble)]
      : packed.name ? [
        h("p", { "data-kind": "fine" }, "✓ 打包好了：", h("b", {}, packed.name)),
        h("p", {}, "回执号：", h("b", {}, packed.code), "（抄下来）"),
        h("p.crm-quiet", {}, "它在作业文件夹的旁边。把这个 zip 交给老师。改了答案，就再打一次，交最新的。"),
        ...(packed.left_out || []).map((line) => h("p", { "data-kind": "damage" }, line))] : [];
    done.replaceChildren(...lines);
  }
  async function ask(content) {
    if (unsavedIn(model)) {
      done.replaceChildren(h("p.crm-quiet", {}, "等最后几题存好……"));
      if (!await allSaved(model)) {
        done.replaceChildren(h("p", { "data-kind": "damage" },
          "有题目还没有存上：内核正忙，或者停了。等一会儿再打包；还不行，就点上方的“▶ 运行全部”。"));
        return;
      }
      showPacked();
    }
    const saved = await saveNotebook(root);
    if (!saved) done.replaceChildren(h("p.crm-quiet", {}, "记得先按 Ctrl+S 存盘，再打包。"));
    model.send(content);
  }
  check.addEventListener("click", () => ask({ do: "look" }));
  pack.addEventListener("click", () => {
    if (!who.value.trim()) {
      done.replaceChildren(h("p", { "data-kind": "damage" }, "先写上你的学号或姓名。"));
      who.focus();
      return;
    }
    ask({ do: "pack", who: who.value });
  });
  who.addEventListener("keydown", (e) => { if (e.key === "Enter") pack.click(); });
  keepKeys(root);
  model.on("change:look", showLook);
  model.on("change:packed", showPacked);
  el.append(root);
  // 做完题滚到这里：检查的是现在，不是打开笔记的时候
  const away = lookWhenSeen(model, root);
  showLook();
  showPacked();
  return () => {
    away();
    model.off("change:look", showLook);
    model.off("change:packed", showPacked);
  };
}

export default { render };
