// 问卷面板：手机里的问卷（可以点着答）、用词建议、发给 100 家模拟的企业。
// 模拟只照写明的规矩来：同样的题、同样的种子，答案一样；题目怎么写，答案就怎么歪。

const HOUSES = 100;
// 每种毛病，把答案怎么弄歪：多少人跟着走、往哪里走。面板下面的“规矩”说的就是这张表
const BENDS = {
  诱导: { share: 0.35, how: "first", says: "35% 的人跟着你的话，选第一项" },
  带感情: { share: 0.35, how: "first", says: "35% 的人跟着你的话，选第一项" },
  量表不平衡: { share: 0.25, how: "up", says: "25% 的人往好的一边挪一格" },
  一题两问: { share: 0.4, how: "middle", says: "40% 的人选中间一项" },
  双重否定: { share: 0.3, how: "mirror", says: "30% 的人选反了" },
  术语或缩写: { share: 0.3, how: "any", says: "30% 的人没看懂，随便选" },
  时间含糊: { share: 0.3, how: "any", says: "30% 的人理解不同，随便选" },
  绝对词: { share: 0.3, how: "last", says: "30% 的人选最后一项" },
  没有量程: { share: 0.3, how: "mirror", says: "30% 的人把好坏弄反" },
  区间重叠: { share: 0.2, how: "any", says: "20% 的人不知道选哪一档，随便选" },
  区间有空缺: { share: 0.25, how: "blank", says: "25% 的人没处选，空着" },
  缺少选项: { share: 0.25, how: "blank", says: "25% 的人没处选，空着" },
};
const QUITS = { 问隐私: 0.2, 重复提问: 0.08 }; // 看到这样的题就关掉的人
const START = 0.65; // 点开的人
const TIRED = 0.02; // 每多一题，关掉的人
const OPEN = 0.06; // 遇到要打字的题，再多关掉的人
const LAZY = 0.08; // 点开的人里，一路选第一项的

// ---- 算 ----

const hash = (text) => [...text].reduce((sum, c) => (Math.imul(sum, 31) + c.codePointAt(0)) >>> 0, 7);

/** 一道题的“真数”：各选项占几成，由选项定，题目怎么问都一样。 */
function truthOf(options) {
  const random = randomFrom(hash(options.join("；")));
  const weights = options.map(() => 0.4 + random());
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

function pickBy(shares, u) {
  let sum = 0;
  for (let i = 0; i < shares.length; i += 1) if ((sum += shares[i]) > u) return i;
  return shares.length - 1;
}

function bend(how, choice, count, u) {
  switch (how) {
    case "first": return 0;
    case "last": return count - 1;
    case "up": return Math.max(0, choice - 1);
    case "middle": return Math.floor((count - 1) / 2);
    case "mirror": return count - 1 - choice;
    case "blank": return null;
    default: return Math.floor(u * count);
  }
}

/**
 * 把问卷发给 100 家。返回 {opened, back, lazy, quitAt: [每题关掉几家], questions: [{answers: [每项几家], truth: [心里想的], blank}]}。
 * 只数交回来的。
 */
function sendOut(questions, seed) {
  const tally = questions.map((q) => ({ answers: q.options.map(() => 0), truth: q.options.map(() => 0), blank: 0, wrote: 0 }));
  const result = { opened: 0, back: 0, lazy: 0, quitAt: questions.map(() => 0), questions: tally };
  const truths = questions.map((q) => truthOf(q.options));
  for (let house = 0; house < HOUSES; house += 1) {
    const random = randomFrom(seed * 100003 + house);
    if (random() >= START) continue;
    result.opened += 1;
    const lazy = random() < LAZY;
    const sheet = [];
    let left = false;
    for (let j = 0; j < questions.length && !left; j += 1) {
      const { options, advice } = questions[j];
      // 每题掷的数一样多：改一道题，别的题的答案不跟着变
      const [quit, mind, swayed, where] = [random(), random(), random(), random()];
      const names = advice.map((a) => a.name);
      const gone = TIRED + (options.length ? 0 : OPEN) + names.reduce((sum, name) => sum + (QUITS[name] || 0), 0);
      if (quit < gone) { result.quitAt[j] += 1; left = true; break; }
      if (!options.length) { sheet.push({ wrote: !lazy && mind < 0.5 }); continue; }
      const truth = pickBy(truths[j], mind);
      let choice = truth;
      let below = 0;
      for (const name of names) {
        const rule = BENDS[name];
        if (!rule) continue;
        if (swayed >= below && swayed < below + rule.share) choice = bend(rule.how, truth, options.length, where);
        below += rule.share;
      }
      sheet.push({ truth, choice: lazy ? 0 : choice });
    }
    if (left) continue;
    result.back += 1;
    result.lazy += lazy;
    sheet.forEach(({ truth, choice, wrote }, j) => {
      if (truth === undefined) { tally[j].wrote += wrote; return; }
      tally[j].truth[truth] += 1;
      if (choice === null) tally[j].blank += 1;
      else tally[j].answers[choice] += 1;
    });
  }
  return result;
}

/** 歪得最厉害的一题：哪一项比心里想的多了多少家；不到 5 家不算。 */
function worstOf(result) {
  let worst = null;
  result.questions.forEach((q, place) => q.answers.forEach((count, option) => {
    const more = count - q.truth[option];
    if (more >= 5 && more > (worst?.more ?? 0)) worst = { place, option, more };
  }));
  return worst;
}

// ---- 画 ----

let asked = 0; // 每块面板的单选钮要有自己的名字

function renderQuestionnaire(board, kept) {
  const { questions } = board;
  asked += 1;
  const name = `crm-q${asked}`;
  const minutes = questions.reduce((sum, q) => sum + (q.options.length ? 10 : 40), 15) / 60;

  // -- 手机 --
  const chosen = kept.chosen;
  const phone = h(".crm-phone", { role: "group", "aria-label": "手机里的样子" },
    h(".crm-phone-top", {}, h("b", {}, board.title), h("span", {}, `约 ${Math.max(1, Math.round(minutes))} 分钟 · ${questions.length} 题`)),
    h(".crm-phone-page", { tabindex: "0" }, h("p.crm-phone-intro", {}, board.intro),
      questions.map((q, j) => h("fieldset.crm-phone-question", { "data-advice": q.advice.length ? "" : null },
        h("legend", {}, `${j + 1}. ${q.ask}`),
        q.advice.map((a) => h(".crm-phone-advice", {}, h("b", {}, a.name), a.message)),
        q.options.length ? q.options.map((option) => {
          const key = `${q.ask}／${option}`;
          const radio = h("input", { type: "radio", name: `${name}-${j}`, onchange: () => { chosen.set(q.ask, key); } });
          radio.checked = chosen.get(q.ask) === key;
          return h("label.crm-phone-option", {}, radio, option);
        }) : h("textarea", { rows: "2", maxlength: "200", "aria-label": q.ask, placeholder: "自己写" }))),
      h(".crm-phone-send", { "aria-hidden": "true" }, "提交")));

  // -- 发出去 --
  const news = h(".crm-news", { role: "status", "aria-live": "polite" });
  const shown = h(".crm-results");
  const send = h("button.crm-button.crm-check", { type: "button", onclick: () => { kept.seed += 1; draw(); } }, "");
  const bar = (count, truth, most) => h(".crm-bar", {},
    h(".crm-bar-answer", { style: `width:${(100 * count) / most}%` }), h(".crm-bar-truth", { style: `left:${(100 * truth) / most}%` }));

  function draw() {
    send.textContent = kept.seed ? "再发一次" : `发给 ${HOUSES} 家`;
    if (!kept.seed) {
      news.textContent = "手机里可以点着答。写好了，就发出去。";
      return shown.replaceChildren();
    }
    const result = sendOut(questions, kept.seed);
    const half = result.opened - result.back;
    const worst = worstOf(result);
    const at = result.quitAt.indexOf(Math.max(...result.quitAt, 0));
    news.replaceChildren(
      `发给 ${HOUSES} 家，点开 ${result.opened} 家，答完 ${result.back} 家，其中 ${result.lazy} 家一路选第一项。`,
      half ? `半路关掉 ${half} 家${questions.length > 1 ? `，第 ${at + 1} 题最多` : ""}。` : "",
      worst ? `第 ${worst.place + 1} 题最歪：“${questions[worst.place].options[worst.option]}”比心里想的多了 ${worst.more} 家。`
        : result.back ? "没有哪一题明显歪掉。" : "一份也没收回。");
    news.toggleAttribute("data-fallen", Boolean(worst));
    shown.replaceChildren(h(".crm-legend", {}, h("span.crm-key-bar"), "答出来的", h("span.crm-key-line"), "心里想的"),
      ...result.questions.map((q, j) => {
      const { ask, options, advice } = questions[j];
      const most = Math.max(...q.answers, ...q.truth, 1);
      return h("section.crm-result", { "data-worst": worst?.place === j ? "" : null },
        h("b", {}, `${j + 1}. ${ask}`), advice.length ? h("span.crm-lint", {}, advice.map((a) => a.name).join("、")) : null,
        options.length ? options.map((option, i) => h(".crm-result-line", {},
          h("span.crm-result-option", { title: option }, option), bar(q.answers[i], q.truth[i], most),
          h("span.crm-number", {}, String(q.answers[i]), unseen(` 家，心里想的 ${q.truth[i]} 家`))))
          : h("p.crm-help", {}, `${q.wrote} 家写了字，要一条一条读`),
        q.blank ? h("span.crm-lost", {}, `${q.blank} 家空着`) : null);
    }));
  }

  const found = [...new Set(questions.flatMap((q) => q.advice.map((a) => a.name)))];
  const rules = h("details.crm-rules", {}, h("summary", {}, "模拟的企业照什么规矩答"),
    h("ul", {}, h("li", {}, `${START * 100}% 会点开；每答一题有 ${TIRED * 100}% 关掉，要打字的题再多 ${OPEN * 100}%；8% 的人一路选第一项。`),
      h("li", {}, "心里怎么想，由选项定好了（竖线）；题目写得不好，答出来的（横条）就和心里想的不一样。"),
      h("li", {}, "问隐私，20% 的人关掉；问两遍，8% 关掉。"),
      Object.entries(BENDS).filter(([n]) => found.includes(n)).map(([n, rule]) => h("li", {}, `${n}：${rule.says}。`))));
  const root = h("section.crm-look.crm-task.crm-board.crm-questionnaire", { "aria-label": "问卷面板" },
    h("header.crm-head", {}, h("span.crm-title", { role: "heading", "aria-level": "3" }, "问卷面板"),
      h("span.crm-help", {}, board.notices.join("")), send),
    h(".crm-inside", {}, h(".crm-two", {}, phone, h(".crm-side", {}, news, shown, rules))));
  keepKeys(root);
  draw();
  return root;
}

export default {
  render({ model, el }) {
    const kept = { seed: 0, chosen: new Map() }; // 重画以后还要的：发过几次、在手机上点了什么
    const show = () => {
      const top = el.querySelector(".crm-phone-page")?.scrollTop ?? 0;
      el.replaceChildren(renderQuestionnaire(model.get("board"), kept));
      el.querySelector(".crm-phone-page").scrollTop = top;
    };
    model.on("change:board", show);
    show();
    const away = lookWhenSeen(model, el);
    // 学生在上面的表里写字：停下来了，再来看一眼
    let timer = 0;
    const written = (e) => {
      if (!e.target.closest?.(`[data-task="${model.get("board").task}"]`)) return;
      clearTimeout(timer);
      timer = setTimeout(() => lookAgain(model), 700);
    };
    const events = ["input", "change", "click"];
    for (const event of events) document.addEventListener(event, written, true);
    return () => {
      away();
      clearTimeout(timer);
      for (const event of events) document.removeEventListener(event, written, true);
      model.off("change:board", show);
    };
  },
};
