// Live figures: the page asks for itself again, and takes over the parts that have changed. Without this script every
// page works as well; it is then as old as its last loading.
"use strict";
(() => {
  const main = document.querySelector("main[data-live]");
  if (!main) return;
  const EVERY_MS = 1000, AFTER_FAULT_MS = 5000;
  const shown = document.getElementById("live-at"), pause = document.getElementById("pause");
  document.getElementById("live").hidden = false;
  let tag = "", timer = 0, isPaused = false;

  const part = (root, name) => root.querySelector(`[data-part="${CSS.escape(name)}"]`);

  function takeOver(fresh) {
    for (const now of main.querySelectorAll("[data-part]")) {
      const next = part(fresh, now.dataset.part);
      // Where somebody has put the focus or is choosing text nothing is taken away.
      if (next && next.outerHTML !== now.outerHTML && !now.contains(document.activeElement)) now.replaceWith(next);
    }
    const sizes = [main, fresh].map((root) => root.querySelectorAll("[data-part]").length);
    if (sizes[0] !== sizes[1] && !main.contains(document.activeElement)) location.reload();
  }

  async function look() {
    let wait = EVERY_MS;
    try {
      if (!document.hidden) {
        const reply = await fetch(location.href, { headers: tag ? { "if-none-match": tag } : {}, cache: "no-store" });
        if (reply.redirected || reply.status === 403) return location.reload(); // logged out, or no longer allowed
        if (reply.status === 200) {
          tag = reply.headers.get("etag") || "";
          const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").querySelector("main");
          if (fresh) takeOver(fresh);
        }
        const isWell = reply.status === 200 || reply.status === 304;
        if (!isWell) wait = AFTER_FAULT_MS;
        shown.textContent = isWell ? "" : "The ledger does not answer; these figures are the last ones.";
      }
    } catch {
      wait = AFTER_FAULT_MS;
      shown.textContent = "The console does not answer; these figures are the last ones.";
    }
    if (!isPaused) timer = setTimeout(look, wait);
  }

  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? "Go on with live figures" : "Pause live figures";
    clearTimeout(timer);
    if (!isPaused) look();
  });
  timer = setTimeout(look, EVERY_MS);
})();
