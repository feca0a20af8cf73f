// 和服务器的长连接：断了自己接上；手机睡醒马上接。
function link(path, hear, changed = () => {}) {
  let socket;
  let wait = 500;
  let timer = 0;
  const open = () => {
    clearTimeout(timer);
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
    socket.onopen = () => { wait = 500; changed(true); };
    socket.onmessage = (e) => hear(JSON.parse(e.data));
    socket.onclose = () => {
      changed(false);
      clearTimeout(timer);
      timer = setTimeout(open, wait * (0.7 + 0.6 * Math.random()));
      wait = Math.min(wait * 1.6, 5000);
    };
  };
  const wake = () => {
    if (document.visibilityState === "visible" && socket.readyState > 1) open();
  };
  document.addEventListener("visibilitychange", wake);
  addEventListener("pageshow", wake);
  addEventListener("online", wake);
  open();
  return (message) => socket.readyState === 1 && socket.send(JSON.stringify(message));
}
