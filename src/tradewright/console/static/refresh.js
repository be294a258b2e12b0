// Reads a page again every few seconds and puts in the parts that say so (data-refresh, in
// seconds). Everything works without it. A part that somebody is using, and a page that nobody
// sees, stay as they are; the page's time is that of its oldest part. Looking again is no use of
// the session: it ends as if nobody looked.
"use strict";

(function () {
  const parts = () => Array.from(document.querySelectorAll("[data-refresh][id]"));
  const seconds = Math.min(...parts().map((part) => Number(part.dataset.refresh)));
  if (!Number.isFinite(seconds) || seconds < 1) {
    return;
  }

  function isInUse(part) {
    const chosen = document.getSelection();
    const isChosen = chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode);
    return isChosen || part.contains(document.activeElement) || part.querySelector("details[open]");
  }

  function put(read) {
    let isWhole = true;
    for (const part of parts()) {
      const fresh = read.getElementById(part.id);
      if (!fresh || fresh.innerHTML === part.innerHTML) {
        continue;
      }
      if (isInUse(part)) {
        isWhole = false;
        continue;
      }
      const left = Array.from(part.querySelectorAll(".scroll"), (one) => one.scrollLeft);
      part.replaceChildren(...fresh.childNodes);
      part.querySelectorAll(".scroll").forEach((one, place) => {
        one.scrollLeft = left[place] || 0;
      });
    }
    const time = read.querySelector(".foot time");
    if (time && isWhole) {
      document.querySelector(".foot time").replaceWith(time);
    }
  }

  async function look() {
    if (!document.hidden) {
      try {
        const address = new URL(location.href);
        address.searchParams.delete("done");
        const answer = await fetch(address, { headers: { accept: "text/html", "x-looks-again": "1" } });
        if (answer.redirected) {
          location.reload();
          return;
        }
        if (answer.ok) {
          put(new DOMParser().parseFromString(await answer.text(), "text/html"));
        }
      } catch {
        // The server is away: the page says by its time how old it is, and is read again later.
      }
    }
    setTimeout(look, seconds * 1000);
  }

  setTimeout(look, seconds * 1000);
})();
