// 课程扩展，手写，不用构建：课程首页；课文打开就运行；课文的样式。
// 少了它，课程照样能用：点 ▶ 运行全部。
(() => {
  const here = document.currentScript.src.replace(/[^/]*$/, '');
  let shared; // JupyterLab 共享的模块

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['crm-course'] = {
    init: scope => {
      shared = scope;
    },
    get: async name => {
      const module = name === './extension' ? await extension() : style();
      return () => module;
    }
  };

  /** One of JupyterLab's own modules. */
  async function use(name) {
    const versions = Object.values(shared[name]);
    const factory = await (versions.find(v => v.loaded) ?? versions[0]).get();
    return factory();
  }

  function style() {
    const link = document.createElement('link');
    link.rel = 'stylesheet';
    link.href = here + 'crm-course.css';
    document.head.appendChild(link);
    return {};
  }

  async function extension() {
    document.documentElement.lang = 'zh-CN'; // 汉字用中文字形，读屏软件用中文读
    const [application, apputils, coreutils, launcher, notebook, services, ui, widgets] = await Promise.all(
      ['application', 'apputils', 'coreutils', 'launcher', 'notebook', 'services', 'ui-components']
        .map(name => use(`@jupyterlab/${name}`))
        .concat(use('@lumino/widgets'))
    );
    // 缺了 __esModule，整个 Lab 会一片空白
    return {
      __esModule: true,
      default: [
        {
          id: 'crm-course:home',
          description: '课程首页',
          autoStart: true,
          requires: [application.ILabShell, application.ILayoutRestorer],
          optional: [launcher.ILauncher, apputils.ICommandPalette],
          activate: (app, shell, restorer, launch, palette) =>
            home({ app, shell, restorer, launch, palette, apputils, coreutils, services, widgets })
        },
        {
          id: 'crm-course:autorun',
          description: '课文打开就运行',
          autoStart: true,
          requires: [notebook.INotebookTracker],
          optional: [apputils.IToolbarWidgetRegistry],
          activate: (app, tracker, toolbars) => {
            tracker.widgetAdded.connect((_, panel) => void lesson(panel, { apputils, coreutils, notebook }));
            // 设置里已有这个按钮；这里换成运行以后停在原处的，Lab 自己的会跳到最后一格
            toolbars?.addFactory('Notebook', 'run-all-zh', panel => new ui.ToolbarButton({
              label: '▶ 运行全部',
              tooltip: '从头到尾运行这一课',
              onClick: () => void runAll(panel, notebook)
            }));
          }
        }
      ]
    };
  }

  // ---- 课程首页 -------------------------------------------------------------

  function home({ app, shell, restorer, launch, palette, apputils, coreutils, services, widgets }) {
    const command = 'crm-course:home';
    const label = '课程首页';
    const tracker = new apputils.WidgetTracker({ namespace: 'crm-course' });
    const settings = services.ServerConnection.makeSettings();
    const remembered = 'crm-course:route';
    let page;

    function create() {
      const content = new widgets.Widget();
      content.addClass('crm-home-page');
      content.node.tabIndex = -1;
      const panel = new apputils.MainAreaWidget({ content });
      panel.id = 'crm-course-home';
      panel.title.label = label;
      panel.title.closable = false;
      panel.toolbar.hide();
      content.node.addEventListener('click', click);
      // 回到这一页时，进度要是新的
      new IntersectionObserver(seen => seen.some(s => s.isIntersecting) && refresh()).observe(content.node);
      return panel;
    }

    async function refresh() {
      const node = page.content.node;
      const route = localStorage.getItem(remembered) ?? '';
      const url = `${settings.baseUrl}crm/home?route=${encodeURIComponent(route)}`;
      let html;
      try {
        const answer = await services.ServerConnection.makeRequest(url, { cache: 'no-store' }, settings);
        if (!answer.ok || answer.redirected) {
          throw new Error(answer.statusText);
        }
        html = await answer.text();
      } catch (fault) {
        if (!node.textContent) {
          node.innerHTML = '<p class="crm-home-lost">课程首页没有打开：服务器没有回答。' +
            '看看黑窗口还在不在；不在就重新打开课程。左边的文件列表里也能打开课文。</p>';
        }
        return;
      }
      if (html === node.dataset.html) {
        return; // 没有变化，就不打断正在看的人
      }
      const focused = node.contains(document.activeElement) && document.activeElement.id;
      node.dataset.html = html;
      node.innerHTML = html;
      if (focused) {
        document.getElementById(focused)?.focus();
      }
    }

    async function open(path, task) {
      const panel = await app.commands.execute('docmanager:open', { path, factory: 'Notebook' });
      if (task && panel) {
        void toTask(panel.node, task);
      }
    }

    function click(event) {
      const link = event.target.closest('a[data-crm-open], a[data-crm-route]');
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) {
        return;
      }
      event.preventDefault();
      if (link.dataset.crmOpen !== undefined) {
        void open(link.dataset.crmOpen, link.dataset.crmTask);
      } else {
        localStorage.setItem(remembered, link.dataset.crmRoute);
        void refresh();
      }
    }

    app.commands.addCommand(command, {
      label,
      caption: '回到课程首页',
      execute: ({ background } = {}) => {
        if (!page || page.isDisposed) {
          page = create();
          void tracker.add(page);
        }
        if (!page.isAttached) {
          const first = shell.widgets('main').next().value;
          shell.add(page, 'main', {
            activate: false,
            type: label,
            ...(first ? { ref: first.id, mode: 'tab-before' } : {})
          });
        }
        if (!background) {
          shell.activateById(page.id);
        }
      }
    });
    void restorer.restore(tracker, { command, args: () => ({ background: true }), name: () => 'home' });

    launch?.add({ command, category: '课程', rank: 0 });
    palette?.addItem({ command, category: '课程' });

    // 顶栏最左边：在哪里都看得见的回家路
    const button = new widgets.Widget({ node: document.createElement('button') });
    button.id = 'crm-course-home-button';
    button.addClass('crm-home-button');
    button.node.type = 'button';
    button.node.textContent = label;
    button.node.title = '回到课程首页';
    button.node.addEventListener('click', () => app.commands.execute(command));
    shell.add(button, 'top', { rank: 10 });

    // 刷新课文时，首页只放在后面，不抢
    const { PageConfig } = coreutils;
    void app.restored.then(() => {
      if (PageConfig.getOption('mode') === 'single-document') {
        return;
      }
      const reading = /\.\w+$/.test(PageConfig.getOption('treePath')) || Boolean(shell.currentWidget?.context);
      void app.commands.execute(command, { background: reading });
      if (!reading) {
        shell.collapseLeft();
        shell.collapseRight();
      }
    });
  }

  // ---- 课文 -----------------------------------------------------------------

  /** Dress a lesson, run it once as it opens, and again whenever its kernel was restarted. */
  async function lesson(panel, { apputils, coreutils, notebook }) {
    await panel.context.ready;
    const crm = panel.model?.getMetadata('crm');
    if (!crm) {
      return;
    }
    panel.addClass('crm-lesson');
    panel.disposed.connect(quietKeys(panel.node));
    // 交作业的面板在打包以前，请我们把笔记本存盘
    panel.node.addEventListener('crm:save', event => {
      event.detail.saved = panel.context.save();
    });
    for (const cell of panel.content.widgets) {
      cell.readOnly ||= cell.model.type === 'markdown'; // 双击课文，不该露出它的源码
    }
    if (!crm.autorun || !inCourse(panel.context.path, coreutils.PageConfig.getOption('crmNotebooks'))) {
      return;
    }
    const session = panel.sessionContext;
    let scheduled = false; // 有人（学生或我们）已经让它运行了
    const watch = (_, { notebook: which }) => {
      scheduled ||= which === panel.content;
    };
    notebook.NotebookActions.executionScheduled.connect(watch);
    panel.disposed.connect(() => notebook.NotebookActions.executionScheduled.disconnect(watch));

    const run = async () => {
      if (scheduled || panel.isDisposed) {
        return;
      }
      for (const cell of panel.model.cells) {
        cell.trusted = true; // 课程自己的笔记
      }
      await runAll(panel, notebook);
    };

    // 内核换了新的，屏幕上的控件就都死了：等它空下来，再运行一遍。
    // 连着死三次，就不再试，让 Lab 自己的提示说话。
    let restarts = 0;
    let restarted = false;
    session.statusChanged.connect((_, status) => {
      if (status === 'restarting' || status === 'autorestarting') {
        restarted = true;
        scheduled = false;
        if (status === 'autorestarting' && ++restarts < 3) {
          void reassure(apputils);
        }
      } else if (status === 'idle' && restarted) {
        restarted = false;
        if (restarts < 3) {
          setTimeout(run, 500); // “重启并运行”自己会运行，先让它
        }
      }
    });

    // 上次留下的输出里，控件已经是死的：先收起来，免得学生去点
    if (panel.model.cells.length) {
      notebook.NotebookActions.clearAllOutputs(panel.content);
    }
    await seen(panel.node);
    await session.ready;
    await session.session?.kernel?.info;
    if (session.session?.kernel) {
      await run();
    }
  }

  /** Run every cell; what the reader sees stays where it is. */
  async function runAll(panel, notebook) {
    if (panel.hasClass('crm-running')) {
      return; // 已经在运行：再来一遍，只会把刚出来的题目收走
    }
    const { content } = panel;
    // Lab 会滚到当前的单元格，所以让眼前的那一格成为当前格
    const view = content.node.getBoundingClientRect();
    const boxes = content.widgets.map(cell => cell.node.getBoundingClientRect());
    const whole = boxes.findIndex(box => box.top >= view.top && box.bottom <= view.bottom);
    const part = boxes.findIndex(box => box.bottom > view.top + 8);
    content.activeCellIndex = Math.max(whole < 0 ? part : whole, 0);
    // 重画时输出先空后满：占住原来的高度，页面就不会上下跳
    const cells = content.widgets.map(cell => cell.node);
    cells.forEach((node, i) => (node.style.minHeight = `${boxes[i].height}px`));
    panel.addClass('crm-running');
    try {
      await notebook.NotebookActions.runCells(content, content.widgets, panel.sessionContext);
    } finally {
      panel.removeClass('crm-running');
      setTimeout(() => cells.forEach(node => (node.style.minHeight = '')), 2000);
    }
  }

  /** In place of Lab's "Kernel Restarting" dialog, which asks for nothing and is in English. */
  async function reassure({ Dialog, Notification }) {
    Notification.info('程序断了一下，课文正在重新运行。你的答案都在。', { autoClose: 8000 });
    for (let tries = 0; tries < 40; tries++) {
      const dialog = Dialog.tracker.find(d => /Kernel Restarting|正在重启内核/.test(d.node.textContent));
      if (dialog) {
        dialog.reject();
        return;
      }
      await pause(50); // 它的文字晚一步才画出来
    }
  }

  /** Show a task of a lesson as soon as it is there and the lesson has run. */
  async function toTask(node, task) {
    for (let tries = 0; tries < 120; tries++) {
      const found = node.querySelector(`.crm-task[data-task="${CSS.escape(task)}"]`);
      if (found && !node.classList.contains('crm-running')) {
        found.scrollIntoView({ block: 'center' });
        return;
      }
      await pause(250);
    }
  }

  /**
   * Keep single keys from reaching the notebook, except in an editor: there, "d d" deletes a cell,
   * "x" cuts it, "y" and "m" change it, and the arrows leave the widget. Esc, Ctrl and Shift+Enter still work.
   */
  function quietKeys(node) {
    const listen = event => {
      if (!(event.target instanceof Element) || !node.contains(event.target)) {
        return;
      }
      const bare = !(event.ctrlKey || event.metaKey || event.altKey || event.key === 'Escape') &&
        !(event.shiftKey && event.key === 'Enter');
      const editing = event.target.closest('.cm-editor');
      // Lumino 从按键的元素往上找快捷键，所以记号要挂在这个元素自己身上
      event.target.toggleAttribute('data-lm-suppress-shortcuts', bare && !editing);
    };
    // 比 Lumino（document 上的捕获）先听到
    window.addEventListener('keydown', listen, true);
    return () => window.removeEventListener('keydown', listen, true);
  }

  function inCourse(path, folder) {
    return folder === '.' || (folder && path.startsWith(folder + '/'));
  }

  const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));

  /** Resolves when the node is on the screen. */
  function seen(node) {
    return new Promise(resolve => {
      const observer = new IntersectionObserver(entries => {
        if (entries.some(e => e.isIntersecting)) {
          observer.disconnect();
          resolve();
        }
      });
      observer.observe(node);
    });
  }
})();
