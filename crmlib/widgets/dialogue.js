// 对话题：像聊天一样，一句一句选。数字键 1–9 选，退格退一步。走图、算量表，和 crmlib/tasks/dialogue.py 一样。

/** 从头走一遍：[{node, choice, level, after}]，停在 node，量表是 level。走不通的地方就停下。 */
function walkTalk(task, log) {
  const meters = Object.entries(task.meters);
  const steps = [];
  let node = task.start;
  let level = Object.fromEntries(meters.map(([id, m]) => [id, m.start ?? 0]));
  for (const choice of log) {
    if (!openChoices(task, node, level).some(([id]) => id === choice)) break;
    const taken = task.nodes[node].choices[choice];
    const after = Object.fromEntries(meters.map(([id, m]) =>
      [id, Math.min(Math.max(level[id] + (taken.effects?.[id] ?? 0), m.min ?? 0), m.max ?? 100)]));
    steps.push({ node, choice, level, after });
    [node, level] = [taken.to, after];
  }
  return { steps, node, level };
}

/** 现在能选的：[[编号, 选择], …] */
function openChoices(task, node, level) {
  const fits = ([meter, [low, high]]) => (low === null || level[meter] >= low) && (high === null || level[meter] <= high);
  return Object.entries(task.nodes[node].choices ?? {}).filter(([, choice]) => Object.entries(choice.if ?? {}).every(fits));
}

function buildDialogue({ task, answer, graded, changed, check, say }) {
  const mine = task.speakers.me ?? "你";
  const others = Object.keys(task.speakers).filter((id) => id !== "me");
  let talk = walkTalk(task, Array.isArray(answer) ? answer : []);
  let dropped = null; // “从头再来”以前的那一段，还能取回

  const log = () => talk.steps.map((s) => s.choice);
  const chat = h(".crm-chat", { role: "log", "aria-label": "对话", tabindex: "0" });
  const replies = h(".crm-replies", { role: "group", tabindex: "-1" });
  const back = h("button.crm-button", { type: "button", onclick: () => go(log().slice(0, -1)) }, "↶ 退一步");
  const again = h("button.crm-button", { type: "button", onclick: restart }, "从头再来");
  const undo = h("button.crm-button", { type: "button", onclick: () => go(dropped) }, "取回刚才那一段");
  const help = h("span.crm-help");
  const gauges = new Map(Object.entries(task.meters).map(([id, meter]) => [id, gauge(meter)]));
  const sample = h(".crm-model-talk");
  const node = h(".crm-talk", {},
    task.scene ? h(".crm-scene", {}, task.scene.trim()) : null,
    gauges.size ? h(".crm-gauges", {}, [...gauges.values()].map((g) => g.node)) : null,
    chat, replies, h(".crm-talk-foot", {}, back, again, undo, help), sample);

  // -- 量表 --
  function gauge(meter) {
    const [low, high] = [meter.min ?? 0, meter.max ?? 100];
    const bar = h("span.crm-gauge-bar");
    const value = h("span.crm-gauge-value");
    const moved = h("span.crm-gauge-moved", { "aria-hidden": "true" });
    const box = h(".crm-gauge", { role: "meter", "aria-label": meter.title, "aria-valuemin": String(low), "aria-valuemax": String(high) },
      h("span.crm-gauge-title", { "aria-hidden": "true" }, meter.title),
      h("span.crm-gauge-track", { "aria-hidden": "true" }, bar), value, moved);
    return {
      node: box,
      set(now, before) {
        bar.style.width = `${(100 * (now - low)) / (high - low || 1)}%`;
        value.textContent = `${trim(now)}${meter.unit ? ` ${meter.unit}` : ""}`;
        box.setAttribute("aria-valuenow", String(now));
        box.setAttribute("aria-valuetext", value.textContent);
        moved.textContent = now === before ? "" : `${now > before ? "＋" : "－"}${trim(Math.abs(now - before))}`;
        return now === before ? "" : `${meter.title}${value.textContent}，${now > before ? "加" : "减"} ${trim(Math.abs(now - before))}。`;
      },
    };
  }
  function measure() {
    const before = talk.steps.at(-1)?.level ?? talk.level;
    return [...gauges].map(([id, g]) => g.set(talk.level[id], before[id])).join("");
  }

  // -- 一句话 --
  function line(who, text, props = {}) {
    if (!who) return h(".crm-aside", props, text);
    if (who === "me") return h(".crm-line.crm-mine", props, h(".crm-said", {}, h("span.crm-who", {}, mine), h(".crm-bubble", {}, text)));
    const name = task.speakers[who];
    return h(".crm-line", { "data-tone": String(others.indexOf(who) % 4), ...props },
      h("span.crm-face", { "aria-hidden": "true" }, name.slice(0, 1)),
      h(".crm-said", {}, h("span.crm-who", {}, name), h(".crm-bubble", {}, text)));
  }
  const saidAt = (name) => (task.nodes[name].says ?? []).map(({ who, text }) => line(who, text));
  function spoken({ node: at, choice }, place) {
    const said = line("me", task.nodes[at].choices[choice].text, { "data-step": String(place) });
    said.querySelector(".crm-who").append(` · 第 ${place + 1} 步`);
    return said;
  }
  const ending = (name) => h(".crm-ending", { tabindex: "-1" },
    h("span.crm-ending-title", {}, "结局"), h("span.crm-ending-text", {}, task.nodes[name].end));
  /** 一步以后听到的：对方的话，也许还有结局。 */
  const heard = (name) => [...saidAt(name), task.nodes[name].end ? ending(name) : null].filter(Boolean);
  const lines = ({ steps }) => [heard(task.start), steps.map((step, place) =>
    [spoken(step, place), heard(task.nodes[step.node].choices[step.choice].to)])].flat(3);

  // -- 走一步，退几步 --
  function choose(id) {
    const before = chat.lastElementChild;
    talk = walkTalk(task, [...log(), id]);
    dropped = null;
    const place = talk.steps.length - 1;
    const said = spoken(talk.steps[place], place);
    const fresh = [said, ...heard(talk.node)];
    for (const one of fresh) one.dataset.fresh = "";
    before.after(...fresh);
    offer();
    say(measure());
    // 看得到自己刚说的那句，从那里往下读
    chat.scrollTop = Math.min(chat.scrollHeight, said.offsetTop - 8);
    (chat.querySelector(".crm-ending") ?? replies).focus({ preventScroll: true });
    changed();
  }
  function go(steps) {
    talk = walkTalk(task, steps);
    dropped = null;
    draw();
    replies.focus({ preventScroll: true });
    say(`回到第 ${talk.steps.length + 1} 步。${measure()}`);
    changed();
  }
  function restart() {
    const kept = log();
    go([]);
    dropped = kept;
    offer();
  }
  function draw() {
    chat.replaceChildren(...lines(talk));
    offer();
    measure();
    chat.scrollTop = chat.scrollHeight;
  }
  function offer() {
    const may = openChoices(task, talk.node, talk.level);
    const ask = `第 ${talk.steps.length + 1} 步，怎么说？有 ${may.length} 种说法`;
    replies.setAttribute("aria-label", may.length ? ask : "对话结束了");
    replies.replaceChildren(...may.map(([id, choice], place) => h("button.crm-reply", {
      type: "button", "data-choice": id, onclick: (e) => e.detail < 2 && choose(id), // 连点两下，第二下不算
    }, h("span.crm-key", { "aria-hidden": "true" }, String(place + 1)), h("span.crm-text", {}, choice.text))));
    node.toggleAttribute("data-done", !may.length);
    back.disabled = again.disabled = !talk.steps.length;
    undo.hidden = !dropped;
    advise();
  }
  function advise(state) {
    const n = replies.children.length;
    if (n) help.replaceChildren(h("kbd", {}, n > 1 ? `1–${n}` : "1"), " 选一句，", h("kbd", {}, "退格"), " 退一步。");
    else if (graded) help.textContent = "这段对话就是你的答案。交作业以前，可以退一步，也可以从头再来。";
    else if (state === "right") help.textContent = "从头再来，试试别的说法会怎样。";
    else help.textContent = state ? "往上翻，看每一步下面的说明；再从说得不好的那一步重说。" : "点“检查”，看每一步说得怎么样。";
  }

  node.addEventListener("keydown", (e) => {
    const picked = openChoices(task, talk.node, talk.level)[digit(e) - 1];
    if (picked) choose(picked[0]);
    else if (e.key === "Backspace" && talk.steps.length) go(log().slice(0, -1));
    else if (e.key === "Enter" && e.target.matches(".crm-ending") && !e.ctrlKey && !e.metaKey) check();
    else return;
    e.preventDefault();
  });
  draw();

  const untag = () => {
    advise();
    sample.replaceChildren();
    chat.querySelectorAll(".crm-remark, .crm-from").forEach((n) => n.remove());
    chat.querySelectorAll("[data-step]").forEach((n) => mark(n, undefined));
  };
  return {
    node,
    unit: "步",
    read: () => (talk.steps.length ? log() : null),
    mark(said) {
      const remark = (html) => h(".crm-remark", { safeHTML: html });
      for (const one of chat.querySelectorAll("[data-step]")) {
        const place = one.dataset.step;
        mark(one, said.where[place]);
        const under = one.querySelector(".crm-said");
        if (said.remarks[place]) under.append(remark(said.remarks[place]));
        if (said.where[place] === false) {
          under.append(h("button.crm-plain.crm-from", { type: "button", onclick: () => go(log().slice(0, Number(place))) }, "从这一步重说"));
        }
      }
      advise(said.state);
      if (said.remarks.end) chat.querySelector(".crm-ending")?.append(remark(said.remarks.end));
      chat.scrollTop = said.state === "right" ? chat.scrollHeight : (chat.querySelector("[data-mark=wrong]")?.offsetTop ?? 8) - 8;
    },
    clear: untag,
    solve(solution, open) {
      sample.replaceChildren(...(open ? [h("strong", {}, "一种得满分的说法"), ...lines(walkTalk(task, solution.answer))] : []));
    },
    update(now) {
      if (JSON.stringify(now ?? []) === JSON.stringify(log())) return;
      talk = walkTalk(task, Array.isArray(now) ? now : []);
      draw();
    },
  };
}

export default { render: (view) => renderTask(view, buildDialogue) };
