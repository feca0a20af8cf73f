// 学生的手机：加入、作答、改、删。控件和课文里的是同一套（接在前面）。

const BUILD = { choose: buildChoose, classify: buildClassify, order: buildOrder, number: buildNumber, write: buildWrite };
const post = async (path, body) => {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return { status: answer.status, ...(await answer.json().catch(() => ({}))) };
};

const PRIVACY = () => [
  h("p", {}, "老师用它统计全班的想法，只在这节课用。"),
  h("ul", {},
    h("li", {}, "记下：你每题的答案和交的时间，这部手机的一个随机编号，你自己起的代号（可以不起）。"),
    h("li", {}, "不记：姓名、学号、电话、IP 地址、位置。文字题里也别写这些。"),
    h("li", {}, "存在哪里：老师这台电脑的课程文件夹 inclass/live 里，不上外网，只有老师看得到。投影上默认不带代号。"),
    h("li", {}, "存多久：老师上完课、用完就删。"),
    h("li", {}, "怎么删：随时点“删除我的全部答案”，马上就删；以后想删，告诉老师。"),
    h("li", {}, "不加入也行，不影响成绩。")),
  h("p.quiet", {}, "依据：《个人信息保护法》（2021 年 11 月 1 日起施行）第十三、十四、十七、四十七条。"),
];

const heading = h("span", {}, document.title);
const who = h("span.who");
const lost = h(".lost", { role: "status" }, "和老师的电脑断开了，正在重新连接…手机要连着上课用的那个 Wi-Fi。");
lost.hidden = true;
const sheet = h("main.sheet");
const said = h(".said", { role: "status", "aria-live": "polite" });
const send = h("button.send", { type: "button" }, "提交");
const foot = h(".foot", {}, said, send);
foot.hidden = true;
document.body.append(h("header.top", {}, heading, who), lost, sheet, foot);

let now = null; // 老师那边现在的样子
let control = null;
let shownId = null;
let sentText = null; // 老师收到了的那一份
let busy = false;
let retry = 0;
let over = false;

function say(text, state = "") {
  said.textContent = text;
  said.dataset.state = state;
}

// ---- 加入 ----

function join(message = "") {
  now = null;
  shownId = null;
  foot.hidden = true;
  who.textContent = "";
  const code = h("input.code", { type: "text", inputmode: "numeric", autocomplete: "off", maxlength: "12", required: true, "aria-label": "房间号" });
  code.value = new URLSearchParams(location.search).get("c") || "";
  const fault = h(".said", { role: "alert" }, message);
  fault.dataset.state = message ? "bad" : "";
  const button = h("button.send", {}, "同意，加入");
  const form = h("form", { onsubmit: async (e) => {
    e.preventDefault();
    button.disabled = true;
    const answer = await post("/join", { code: code.value }).catch(() => ({ said: "连不上老师的电脑。看看手机是不是连着上课的 Wi-Fi。" }));
    button.disabled = false;
    if (answer.status === 200) {
      history.replaceState(null, "", "/");
      wait();
      connect();
    } else {
      fault.textContent = answer.said || "没有成功，再试一次。";
      fault.dataset.state = "bad";
    }
  } }, h("label.field", {}, "房间号（投影上的 8 个数字）", code), fault, button);
  sheet.replaceChildren(h(".box", {}, h("h1", {}, "加入课堂投票"),
    h("p.quiet", {}, "不用写姓名。只记你的答案和一个随机编号，存在老师的电脑里。随时可以删。"), form),
  h(".box", {}, h("details", {}, h("summary", {}, "存什么，存在哪里，怎么删"), PRIVACY())));
}

function wait() {
  foot.hidden = true;
  sheet.replaceChildren(h(".box.big", {}, "加入了。看投影，等老师开始。"), about());
}

// ---- 我的数据 ----

function about() {
  const name = h("input", { type: "text", maxlength: "8", placeholder: "代号，可以不写", "aria-label": "代号" });
  name.value = now?.alias || "";
  const note = h("span.quiet");
  const rename = h("form.rename", { onsubmit: async (e) => {
    e.preventDefault();
    const answer = await post("/alias", { alias: name.value }).catch(() => ({}));
    note.textContent = answer.status === 200 ? "记下了。" : answer.said || "没有成功，再试一次。";
    if (answer.status === 200 && now) { now.alias = answer.alias; showWho(); }
  } }, name, h("button.plainbutton", {}, "改代号"));
  const forget = h("button.plainbutton.danger", { type: "button", onclick: async () => {
    if (!confirm("删掉这部手机交过的全部答案，并退出投票。删了找不回来。")) return;
    const answer = await post("/forget", {}).catch(() => ({}));
    if (answer.status !== 200) return alert(answer.said || "没有删成：连不上老师的电脑。告诉老师，他也能删。");
    sessionStorage.clear();
    join("都删了。要再参加，重新加入。");
  } }, "删除我的全部答案");
  return h(".box", {}, h("details", {}, h("summary", {}, "我的代号和数据"), PRIVACY(), rename, note, h("p", {}, forget)));
}
function showWho() {
  who.textContent = now?.number ? `${now.alias ? `${now.alias} · ` : ""}${now.number} 号` : "";
}

// ---- 作答 ----

const draftKey = () => `crm-draft-${now.number}-${now.question.id}`;
const read = () => control?.read() ?? null;
const same = () => sentText !== null && JSON.stringify(read()) === sentText;

function show() {
  showWho();
  const { question } = now;
  heading.textContent = now.title;
  if (!question) {
    shownId = null;
    return wait();
  }
  if (shownId !== question.id) {
    shownId = question.id;
    clearTimeout(retry);
    let draft = null;
    try { draft = JSON.parse(sessionStorage.getItem(draftKey())); } catch { /* 没有草稿 */ }
    const answer = now.open ? draft ?? now.mine : now.mine;
    const changed = () => {
      try { sessionStorage.setItem(draftKey(), JSON.stringify(read())); } catch { /* 存不下草稿，不要紧 */ }
      state();
    };
    const task = question.task && { ...question.task, use: "practice" };
    control = question.kind === "survey" ? buildSurvey({ items: question.items, answer, changed })
      : BUILD[question.kind]({ task, answer, graded: false, selfMarks: {}, changed, say: () => {}, check: () => void submit(), send: () => {} });
    const work = h(".crm-look.work", {}, control.node);
    const explain = h(".prompt.explain");
    sheet.replaceChildren(h(".box", {}, h(".quiet", {}, `第 ${now.place} 题，一共 ${now.of} 题`), h("h1", {}, question.title),
      h(".prompt", { safeHTML: question.prompt_html }), work, explain), about());
    scrollTo(0, 0);
    say("");
  }
  sentText = now.mine === null || now.mine === undefined ? null : JSON.stringify(now.mine);
  sheet.querySelector(".explain").innerHTML = now.explain_html || "";
  foot.hidden = false;
  state();
}

function state() {
  const closed = !now.open;
  sheet.querySelector(".work").inert = closed;
  send.disabled = closed || busy || read() === null || same();
  send.textContent = sentText === null ? "提交" : same() ? "交了" : "改了，再交一次";
  if (closed) say(sentText === null ? "停止作答了，看投影。" : "停止作答了。你的答案收到了。");
  else if (busy) say("正在交…");
  else if (same()) say("✓ 收到了。停止以前都可以改。", "ok");
  else if (said.dataset.state !== "bad") say(sentText === null ? "" : "改过了，还没有交。");
}

async function submit() {
  if (!now?.open || busy || read() === null) return;
  clearTimeout(retry);
  busy = true;
  say("");
  state();
  const { id } = now.question;
  const answer = read();
  const got = await post("/answer", { question: id, answer }).catch(() => ({ status: 0 }));
  busy = false;
  if (!now || id !== now.question?.id) return;
  if (got.status === 200) {
    now.mine = answer;
    sentText = JSON.stringify(answer);
    sessionStorage.removeItem(draftKey());
    say("");
  } else if (got.status === 0 || got.status >= 500) {
    say(got.said || "没有送到老师的电脑，正在再试…", "bad");
    retry = setTimeout(submit, 1500 + 1500 * Math.random());
    return;
  } else if (got.status === 403) return void check();
  else say(got.said || "没有成功，再试一次。", "bad");
  state();
}
send.addEventListener("click", () => void submit());

/** 问卷：一题一组选项，或者一段文字。 */
function buildSurvey({ items, answer, changed }) {
  const filled = { ...(answer || {}) };
  const node = h("div", {}, items.map((item, at) => {
    const legend = h("legend", {}, `${at + 1}. ${item.ask}${item.many && !/选/.test(item.ask) ? "（可以选几个）" : ""}`);
    if (!item.options.length) {
      const paper = h("textarea", { maxlength: "200", placeholder: "可以不写", "aria-label": item.ask });
      paper.value = filled[item.id] ?? "";
      paper.addEventListener("input", () => {
        if (paper.value.trim()) filled[item.id] = paper.value.trim();
        else delete filled[item.id];
        changed();
      });
      return h("fieldset.item", {}, legend, paper);
    }
    const boxes = item.options.map((option, place) => {
      const box = h("input", { type: item.many ? "checkbox" : "radio", name: `crm-${item.id}` });
      const old = filled[item.id];
      box.checked = item.many ? Array.isArray(old) && old.includes(place) : old === place;
      box.addEventListener("change", () => {
        const picked = boxes.map((b, i) => (b.checked ? i : -1)).filter((i) => i >= 0);
        if (!picked.length) delete filled[item.id];
        else filled[item.id] = item.many ? picked : picked[0];
        changed();
      });
      return box;
    });
    const short = item.options.every((o) => o.length <= 5) && item.options.length <= 6;
    return h("fieldset.item", {}, legend, h(".crm-options", { "data-short": short }, boxes.map((box, place) =>
      h("label.crm-option", {}, box, h("span.crm-text", {}, item.options[place])))));
  }));
  return { node, read: () => (Object.keys(filled).length ? { ...filled } : null) };
}

// ---- 连接 ----

let linked = false;
function connect() {
  if (linked) return;
  linked = true;
  link("/ws/phone", (message) => {
    if (message.do === "over") {
      over = true;
      lost.hidden = true;
      foot.hidden = true;
      sheet.replaceChildren(h(".box.big", {}, message.erased ? "投票结束了，全部答案都删了。" : "投票结束了。谢谢！"));
      return;
    }
    now = message;
    show();
  }, (up) => {
    lost.hidden = up || over || !now;
    if (!up && !over) void check();
  });
}
/** 连不上时问一声：是网断了，还是这部手机已经不在名单上。 */
async function check() {
  const me = await fetch("/me", { cache: "no-store" }).then((r) => r.json()).catch(() => null);
  if (me && !me.joined && now) location.reload();
}

fetch("/me", { cache: "no-store" }).then((r) => r.json()).then((me) => {
  heading.textContent = me.title;
  if (me.joined) { wait(); connect(); } else join();
}).catch(() => join("连不上老师的电脑。看看手机是不是连着上课的 Wi-Fi。"));
