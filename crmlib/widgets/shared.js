// 所有题型和面板共用：造元素、读数、算式、拖动、题目的外框。
// 每种题型的 .js 接在这后面，一起送进浏览器；没有构建步骤，也不用网络。

/** h("button.crm-button", {type: "button", onclick: f}, "检查")：造一个元素。文字永远只是文字。 */
function h(name, props = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "safeHTML") node.innerHTML = value; // 只用于 Python 已经转义过的文字
    else if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const unseen = (text) => h("span.crm-unseen", {}, text);
const trim = (x) => (Number.isInteger(x) ? String(x) : x.toFixed(2).replace(/\.?0+$/, ""));

/** 卡片可以写成文字，或 {text, note}。 */
const cardOf = (card) => (typeof card === "object" && card ? card : { text: String(card) });

// ---- 数和算式：和 crmlib/tasks/numbers.py 说的一样 ----

/** 学生打的字 → 数；不是数则 null。"０。２５"、"1，234"、"20％"、"3 分" 都认得。 */
function readNumber(value, unit = "") {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value !== "string" || value.length > 60) return null;
  const plain = (s) => s.normalize("NFKC").replace(/\s/g, "");
  let text = plain(value).replace(/[−–—]/g, "-").replace(/。/g, ".").replace(/、/g, ",");
  unit = plain(unit);
  if (unit && text.endsWith(unit)) text = text.slice(0, -unit.length);
  const percent = text.endsWith("%");
  if (percent) text = text.slice(0, -1);
  if (/^[+-]?\d{1,3}(,\d{3})+(\.\d*)?$/.test(text)) text = text.replaceAll(",", "");
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)) return null;
  const number = Number(text) / (percent && unit !== "%" ? 100 : 1);
  return Number.isFinite(number) ? number : null;
}

/** 只有 + - * / ( )、数和名字的算式；缺一个名字就是 null。 */
function formula(text, values) {
  const tokens = text.match(/[\p{L}_][\p{L}\p{N}_]*|\d+(\.\d+)?|[-+*/()]/gu) || [];
  let at = 0;
  const atom = () => {
    const token = tokens[at++];
    if (token === "-") return -atom();
    if (token === "(") { const inside = sum(); at++; return inside; }
    if (/^\d/.test(token)) return Number(token);
    const value = values[token];
    return value === null || value === undefined ? NaN : value;
  };
  const chain = (next, ops) => () => {
    let left = next();
    while (tokens[at] in ops) left = ops[tokens[at++]](left, next());
    return left;
  };
  const product = chain(atom, { "*": (a, b) => a * b, "/": (a, b) => a / b });
  const sum = chain(product, { "+": (a, b) => a + b, "-": (a, b) => a - b });
  const result = sum();
  return Number.isFinite(result) ? result : null;
}

// ---- 画布 ----

/** 擦干净的画布，width × height 个 CSS 像素；屏幕再细也清楚。大小没变，就不重新分配。 */
function cleanPen(canvas, width, height) {
  const sharp = window.devicePixelRatio || 1;
  const [w, t] = [Math.round(width * sharp), Math.round(height * sharp)];
  if (canvas.width !== w || canvas.height !== t) {
    Object.assign(canvas, { width: w, height: t });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
  }
  const pen = canvas.getContext("2d");
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  pen.clearRect(0, 0, width, height);
  return pen;
}

// ---- 键盘 ----

/** 没按 Ctrl 之类时，键盘归我们用，不让 JupyterLab 拿去当快捷键（数字键会改单元格）。 */
function keepKeys(root) {
  root.addEventListener("keydown", (e) => {
    if (!(e.ctrlKey || e.metaKey || e.altKey) || e.key === "Enter") e.stopPropagation();
  });
}

/** 按下的数字 1–9；不是则 0。中文输入法开着也认得。 */
function digit(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return 0;
  const found = /^(?:Digit|Numpad)([1-9])$/.exec(event.code) || /^([1-9])$/.exec(event.key);
  return found ? Number(found[1]) : 0;
}

// ---- 拖动 ----

/**
 * 让 root 里的 .crm-card 能拖进 .crm-drop，放下时叫 drop(card, target)。
 * 鼠标在卡片上随处可拖；手指按住 ⠿ 拖，按别处是滚动。Esc 取消。
 */
function dragCards(root, drop) {
  let drag = null;

  const target = (e) => {
    const found = document.elementFromPoint(e.clientX, e.clientY)?.closest(".crm-drop");
    return found && root.contains(found) ? found : null;
  };
  const hover = (found) => {
    if (drag.over === found) return;
    drag.over?.removeAttribute("data-over");
    found?.setAttribute("data-over", "");
    drag.over = found;
  };
  const begin = (e) => {
    const box = drag.card.getBoundingClientRect();
    drag.dx = drag.x - box.left;
    drag.dy = drag.y - box.top;
    drag.ghost = h(".crm-look.crm-ghost", {}, drag.card.cloneNode(true));
    drag.ghost.style.width = `${box.width}px`;
    drag.ghost.style.fontSize = getComputedStyle(root).fontSize;
    document.body.append(drag.ghost);
    drag.card.dataset.dragging = "";
    root.setPointerCapture?.(e.pointerId);
    scroll();
  };
  // 拖到滚动区的边上，它自己滚
  const scroll = () => {
    if (!drag?.ghost) return;
    for (const box of scrollers(drag.card)) {
      const edge = box.getBoundingClientRect();
      const inside = drag.px >= edge.left && drag.px <= edge.right;
      if (inside && drag.py < edge.top + 48 && drag.py > edge.top - 80) box.scrollTop -= 10;
      else if (inside && drag.py > edge.bottom - 48 && drag.py < edge.bottom + 80) box.scrollTop += 10;
    }
    requestAnimationFrame(scroll);
  };
  const scrollers = (node) => {
    const found = [];
    for (let up = node.parentElement; up; up = up.parentElement) {
      if (up.scrollHeight > up.clientHeight + 4 && /auto|scroll/.test(getComputedStyle(up).overflowY)) found.push(up);
    }
    return found;
  };
  const end = (dropped) => {
    if (!drag) return;
    const { card, ghost, over } = drag;
    over?.removeAttribute("data-over");
    ghost?.remove();
    card.removeAttribute("data-dragging");
    drag = null;
    removeEventListener("keydown", escape, true);
    if (!ghost) return;
    // 拖完以后浏览器还会补一次 click，不能当成“点了卡片”
    const swallow = (e) => { e.stopPropagation(); e.preventDefault(); };
    root.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => root.removeEventListener("click", swallow, true));
    if (dropped && over) drop(card, over);
  };
  const escape = (e) => {
    if (e.key === "Escape") { e.stopPropagation(); end(false); }
  };

  root.addEventListener("pointerdown", (e) => {
    const card = e.target.closest(".crm-card");
    if (!card || e.button !== 0 || drag || e.target.closest("button, input, a")) return;
    if (e.pointerType !== "mouse" && !e.target.closest(".crm-grip")) return;
    drag = { card, x: e.clientX, y: e.clientY, id: e.pointerId };
    addEventListener("keydown", escape, true);
  });
  root.addEventListener("pointermove", (e) => {
    if (!drag || e.pointerId !== drag.id) return;
    if (!drag.ghost && Math.hypot(e.clientX - drag.x, e.clientY - drag.y) < 5) return;
    if (!drag.ghost) begin(e);
    [drag.px, drag.py] = [e.clientX, e.clientY];
    drag.ghost.style.left = `${e.clientX - drag.dx}px`;
    drag.ghost.style.top = `${e.clientY - drag.dy}px`;
    hover(target(e));
  });
  root.addEventListener("pointerup", (e) => drag && e.pointerId === drag.id && end(true));
  root.addEventListener("pointercancel", () => end(false));
  // 手指按下时把手自己先被捕获，再转给 root：那一次“失去”不算
  root.addEventListener("lostpointercapture", (e) => e.target === root && end(false));
}

/** 一张卡片：文字、来源、拖动的把手。 */
function cardNode(id, card) {
  const { text, note } = cardOf(card);
  return h(".crm-card", { "data-card": id, role: "button", tabindex: "-1", "aria-pressed": "false", title: text },
    h("span.crm-grip", { "aria-hidden": "true" }),
    h("span.crm-text", {}, text),
    note ? h("span.crm-note", {}, note) : null);
}

/** 给一个元素打上对错记号；看不见屏幕的人也读得到。ok 是 undefined 时去掉。 */
function mark(node, ok) {
  node.querySelector(":scope > .crm-unseen[data-said]")?.remove();
  if (ok === undefined) { node.removeAttribute("data-mark"); return; }
  node.dataset.mark = ok ? "right" : "wrong";
  const said = unseen(ok ? "，对" : "，不对");
  said.dataset.said = "";
  node.append(said);
}

/** “对 5 张，错 11 张” */
function tally(where, unit) {
  const all = Object.values(where);
  const right = all.filter(Boolean).length;
  return [right && `对 ${right} ${unit}`, right < all.length && `错 ${all.length - right} ${unit}`].filter(Boolean).join("，");
}

/** 参考答案那样的一块文字，换行照原样。 */
const sample = (title, text) => h(".crm-sample", {}, h("strong", {}, title), text);

// ---- 还没有存上的题 ----

/** 改了、内核还没有说存好的题 → 它的笔记（widget_manager 一本一个）。整页一份，各种控件都来登记。 */
const unsaved = (window.crmUnsaved ??= new Map());

/** 同一本笔记里还有没存好的题吗？别的笔记不管：它的内核可能早停了。 */
const unsavedIn = (model) => [...unsaved.values()].includes(model.widget_manager);

/** 等到都存好；10 秒还没有，就是 false。面板和打包要先等它。 */
async function allSaved(model) {
  for (let turn = 0; turn < 200 && unsavedIn(model); turn++) await new Promise((done) => setTimeout(done, 50));
  return !unsavedIn(model);
}

/** 等答案都存好，请内核再看一遍。 */
const lookAgain = (model) => allSaved(model).then(() => model.send({ do: "look" }));

/** 滚进屏幕时再看一遍；交回一个函数，叫它就不再看。 */
function lookWhenSeen(model, node) {
  const seen = new IntersectionObserver((entries) => entries.some((e) => e.isIntersecting) && lookAgain(model));
  seen.observe(node);
  return () => seen.disconnect();
}

// ---- 题目的外框 ----

const BADGE = { right: "✓", partial: "◐", wrong: "✗", malformed: "!", empty: "…", saved: "✓", trouble: "!" };
const USE = { practice: "练习", graded: "作业" };

/**
 * 画一道题。build(ctx) 造出中间的控件，返回：
 *   node      控件
 *   read()    现在的答案（没有则 null）
 *   mark(said)   检查以后标出对错        clear()   答案一改，去掉标记
 *   solve(solution, open)  显示或收起答案   update(answer)  （可选）内核送来新的答案
 *   look(view)   （可选）内核算好了要显示的东西    unit  （可选）小项的量词，如“张”
 * ctx：task、answer（打开时的答案）、view（打开时内核算好的）、graded、say(文字) 读给看不见屏幕的人、
 *   changed({typing}) 答案变了、check() 检查、send(消息) 送给内核。
 */
function renderTask({ model, el }, build) {
  const task = model.get("task");
  const graded = task.use === "graded";
  const checkable = !graded && !task.poll;

  const tag = h("span.crm-tag", {}, `${task.poll ? "说说看" : USE[task.use] || "练习"} ${task.id}`);
  const checkButton = h("button.crm-button.crm-check", { type: "button" }, task.kind === "write" ? "写好了，对照看看" : "检查");
  const solutionButton = h("button.crm-button.crm-solution", { type: "button", "aria-expanded": "false" }, "看答案");
  const status = h("span.crm-status", { role: "status" });
  const trouble = h(".crm-trouble", { role: "alert" });
  const feedback = h(".crm-feedback", { role: "status", "aria-live": "polite" });
  const spoken = h(".crm-unseen", { "aria-live": "polite" });
  let solved = false; // 答案是不是翻开着
  let marked = false;
  let asked = false; // 学生刚点了检查

  // -- 保存 --
  // 每次保存和检查都有一个号；内核处理完，把号送回来（status.stamp）。
  // 检查也随状态一起送（checked），不另发消息：消息会跑到还在排队的旧答案前面，旧答案随后回来盖住新的。
  let stamp = model.get("stamp");
  let timer = 0;
  let waiting = 0;
  let sent = 0; // 几点送出去的；存好了是 0
  const submit = (checking) => {
    clearTimeout(timer);
    timer = 0;
    stamp = Math.max(stamp, model.get("stamp")) + 1;
    model.set({ answer: control.read(), stamp, ...(checking ? { checked: stamp } : {}) });
    model.save_changes();
    unsaved.set(root, model.widget_manager);
    sent ||= Date.now();
    clearTimeout(waiting);
    waiting = setTimeout(() => showTrouble(
      "答案还没有存上：内核没有回应。它可能正忙，也可能重启过。等一会儿；还不行，就点上方的“▶ 运行全部”。"), 6000);
  };
  const save = () => {
    submit();
    setStatus("正在保存…");
  };
  const flush = () => timer && save();
  const changed = ({ typing = false } = {}) => {
    if (marked) { control.clear(); showFeedback({}); }
    clearTimeout(timer);
    timer = setTimeout(save, typing ? 400 : 0);
    unsaved.set(root, model.widget_manager);
    setStatus("");
  };
  const check = () => {
    if (!checkable) return;
    asked = true;
    submit(true);
  };

  // -- 显示 --
  function setStatus(text, state = "") {
    status.textContent = text;
    status.dataset.state = state;
  }
  function showTrouble(text, kind = "trouble") {
    trouble.hidden = !text;
    trouble.dataset.state = kind;
    trouble.replaceChildren(text ? h("div", {}, text) : "");
    if (text && kind === "trouble") setStatus("没有保存", "trouble");
  }
  function showStatus() {
    const now = model.get("status");
    if (timer || (now.stamp !== undefined && now.stamp < stamp)) return; // 更新的还没有送出去，或者还在路上
    clearTimeout(waiting);
    unsaved.delete(root);
    sent = 0;
    showTrouble(now.trouble || now.notice || "", now.trouble ? "trouble" : "notice");
    if (now.trouble || !now.state) return;
    if (!graded) return setStatus(now.saved ? (task.poll ? "已记下" : "已保存") : "", now.saved ? "saved" : "");
    const kept = now.saved ? "已自动保存。" : "";
    const lines = (now.messages || []).join("");
    if (now.state === "saved") setStatus(`✓ 答完了，${now.saved ? "已自动保存，" : ""}可以交。`, "saved");
    else setStatus(`${kept}${now.state === "malformed" ? "格式不对" : "还没答完"}：${lines}`, now.state);
  }
  function showFeedback(said) {
    marked = Boolean(said.state);
    feedback.dataset.state = said.state || "";
    solutionButton.hidden = !said.solution || task.kind === "write" || (said.state === "right" && task.kind !== "form");
    solved = false;
    solutionButton.setAttribute("aria-expanded", "false");
    solutionButton.textContent = "看答案";
    if (!marked) { feedback.replaceChildren(); return; }
    const scored = ["right", "partial", "wrong"].includes(said.state);
    feedback.replaceChildren(
      h(".crm-verdict", {},
        h("span.crm-badge", { "aria-hidden": "true" }, BADGE[said.state]), h("span", {}, said.title),
        scored ? h("span.crm-earned", {}, `${trim(said.points)} / ${trim(said.of)} 分`) : null,
        scored && control.unit ? h("span.crm-tally", {}, tally(said.where, control.unit)) : null),
      h("ul.crm-messages", {}, said.messages.map((m) => h("li", { safeHTML: m }))));
    if (said.review) feedback.append(h(".crm-review", { safeHTML: said.review }));
    if (said.advice?.length) {
      feedback.append(h(".crm-advice", {}, h("strong", {}, "建议（不扣分）"),
        h("ul.crm-messages", {}, said.advice.map((line) => h("li", { safeHTML: line })))));
    }
    if (said.left) feedback.append(h(".crm-left", {}, `改一改再检查。再试 ${said.left} 次还不对，就可以看答案。`));
    if (said.state === "right" && said.solution?.explain) explain(said.solution);
    control.mark(said);
  }
  function explain(solution) {
    if (solution.explain) feedback.append(h(".crm-explain", { safeHTML: solution.explain }));
  }
  function toggleSolution() {
    const { solution, state } = model.get("result");
    solved = !solved;
    solutionButton.textContent = solved ? "收起答案" : "看答案";
    solutionButton.setAttribute("aria-expanded", String(solved));
    control.solve(solution, solved);
    if (state === "right") return;
    feedback.querySelector(".crm-explain")?.remove();
    if (solved) explain(solution);
  }

  const ctx = {
    task, graded, answer: model.get("answer"), view: model.get("view"), selfMarks: model.get("self_marks"),
    say: (text) => { spoken.textContent = text; }, changed, check, send: (message) => model.send(message),
  };
  let control = build(ctx);
  const body = h(".crm-body", {}, control.node);
  const root = h("section.crm-look.crm-task", {
    "data-task": task.id, "data-kind": task.kind, "data-use": task.use, "aria-label": `题目 ${task.id} ${task.title}`,
  },
    h("header.crm-head", {},
      tag, h("span.crm-title", { role: "heading", "aria-level": "3" }, task.title),
      task.poll ? null : h("span.crm-points", {}, `${trim(task.points)} 分`)),
    h(".crm-inside", {},
      h(".crm-prompt", { safeHTML: task.prompt_html }),
      body,
      h("footer.crm-foot", {}, checkable ? checkButton : null, solutionButton, status),
      trouble, feedback, spoken));

  checkButton.addEventListener("click", check);
  solutionButton.addEventListener("click", toggleSolution);
  keepKeys(root);
  root.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); check(); }
  });
  root.addEventListener("focusout", flush);
  // 按下按钮时焦点留在原处：否则格子失去焦点，版面一动，松开鼠标时按钮已经不在手指下面
  root.addEventListener("mousedown", (e) => {
    if (e.target.closest(".crm-button, .crm-plain")) e.preventDefault();
  });
  addEventListener("pagehide", flush);
  // 内核正忙，答案还在排队：这时关页面会丢，先问一声
  const leaving = (e) => { if (sent && Date.now() - sent > 1000) e.preventDefault(); };
  addEventListener("beforeunload", leaving);
  const onResult = () => {
    const said = model.get("result");
    if (marked) control.clear();
    showFeedback(said);
    if (said.state && asked) feedback.scrollIntoView({ block: "nearest" });
    asked = false;
  };
  // 别处改了答案（同一题在另一格，或内核读出来的）：跟着变
  const onAnswer = () => {
    const now = model.get("answer") ?? null;
    if (timer || JSON.stringify(now) === JSON.stringify(control.read() ?? null)) return;
    if (control.update) return control.update(now);
    control = build({ ...ctx, answer: now });
    body.replaceChildren(control.node);
    showFeedback(model.get("result"));
  };
  model.on("change:result", onResult);
  model.on("change:status", showStatus);
  model.on("change:answer", onAnswer);
  const onView = () => control.look?.(model.get("view"));
  model.on("change:view", onView);
  el.append(root);
  showFeedback(model.get("result"));
  showStatus();
  return () => {
    flush();
    clearTimeout(waiting);
    unsaved.delete(root);
    removeEventListener("pagehide", flush);
    removeEventListener("beforeunload", leaving);
    model.off("change:result", onResult);
    model.off("change:status", showStatus);
    model.off("change:answer", onAnswer);
    model.off("change:view", onView);
  };
}

/** 0 到 1 的数，一串接一串，种子相同就相同。 */
function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * 面板：内核的板变了就重画；滚进屏幕时问一声有没有新答案（look）。
 * draw(board, held)：held 里的东西重画也不丢；交回元素，或者 {root, stop}，重画以前先叫 stop。
 */
const boardWidget = (draw, { look = true } = {}) => ({
  render({ model, el }) {
    const held = {};
    let shown = null;
    const show = () => {
      shown?.stop?.();
      shown = draw(model.get("board"), held);
      el.replaceChildren(shown.root ?? shown);
    };
    model.on("change:board", show);
    show();
    const away = look ? lookWhenSeen(model, el) : null;
    return () => { shown.stop?.(); away?.(); model.off("change:board", show); };
  },
});
