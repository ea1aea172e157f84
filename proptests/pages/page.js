/* What a page is asked from inside. Each question answers with a list of what is wrong. */
(() => {
  const visible = (node) => {
    const box = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    return box.width > 1 && box.height > 1 && style.visibility === "visible" && box.right > 0;
  };
  const name = (node) => node.tagName.toLowerCase() + (node.id ? "#" + node.id : "") + ": " + (node.textContent || "").trim().slice(0, 40);
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1);
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0.99) return colour;
    }
    return [255, 255, 255, 1];
  };

  window.asked = {
    /* WCAG 2, 1.4.3: text against what is behind it, 4.5 to 1. */
    contrast() {
      const wrong = new Set();
      let seen = 0;
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const holder = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !holder || holder.closest("script, style, title, desc, [aria-disabled=true], .later")) continue;
        if (!visible(holder)) continue;
        const style = getComputedStyle(holder);
        const colour = rgba(holder.namespaceURI.endsWith("svg") ? style.fill : style.color);
        const ratio = contrast(colour, behind(holder));
        seen += 1;
        if (ratio < 4.5) wrong.add(ratio.toFixed(2) + " to 1: " + name(holder));
      }
      if (seen < 20) wrong.add("only " + seen + " pieces of text");
      return [...wrong].slice(0, 5);
    },
    /* Nothing but what can be scrolled by itself is wider than the window. */
    overflow() {
      const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      if (wide <= 0) return [];
      const over = [...document.querySelectorAll("body *")].filter((node) => !node.closest(".scroll, .skip") && node.getBoundingClientRect().right > innerWidth + 1);
      return ["wider than the window by " + wide + ": " + over.slice(0, 3).map(name).join(", ")];
    },
    figures(least) {
      const wrong = [];
      const drawings = [...document.querySelectorAll("svg[role=img]")];
      if (drawings.length < least) wrong.push(drawings.length + " drawings, and there have to be " + least);
      for (const svg of drawings) {
        const box = svg.getBoundingClientRect();
        const drawn = [...svg.querySelectorAll("path, polyline, line, rect, polygon")].filter((part) => {
          const inner = part.getBBox();
          return inner.width > 0 || inner.height > 0;
        });
        if (box.width < 100 || box.height < 40 || drawn.length < 2 || svg.querySelectorAll("text").length < 1) {
          wrong.push("an empty drawing: " + (svg.getAttribute("aria-label") || svg.textContent.slice(0, 40)));
        }
      }
      return wrong.slice(0, 5);
    },
    structure() {
      const wrong = [];
      const must = (holds, what) => holds || wrong.push(what);
      const all = (selector) => [...document.querySelectorAll(selector)];
      must(document.documentElement.lang, "no language");
      must(document.title.trim(), "no title");
      must(all("main").length === 1, all("main").length + " main parts");
      must(all("h1").length === 1, all("h1").length + " first headings");
      const levels = all("h1, h2, h3, h4").map((heading) => Number(heading.tagName[1]));
      must(levels[0] === 1 && levels.every((level, place) => place === 0 || level <= levels[place - 1] + 1), "headings skip a level");
      must(all("h2").length >= 2, "no parts");
      const ids = all("[id]").map((node) => node.id);
      must(new Set(ids).size === ids.length, "an id is there twice: " + ids.find((id, place) => ids.indexOf(id) !== place));
      for (const link of all("a[href^='#']")) must(document.getElementById(link.getAttribute("href").slice(1)), "a link to nowhere: " + link.href);
      for (const node of all("[aria-labelledby]")) {
        for (const id of node.getAttribute("aria-labelledby").split(" ")) must(document.getElementById(id), "named by nothing: " + id);
      }
      for (const table of all("table")) {
        must(table.querySelector("th[scope=col], th[scope=row]"), "a table without headings: " + name(table));
        must(table.caption || table.closest("[role=region][aria-label]"), "a table without a name: " + name(table));
      }
      for (const region of all(".scroll")) must(region.tabIndex === 0 && region.getAttribute("aria-label"), "what scrolls cannot be reached by keyboard: " + name(region));
      for (const outside of all("[src], link, [srcset]")) must(false, "needs something else: " + outside.outerHTML.slice(0, 60));
      return wrong.slice(0, 8);
    },
    button(run, go) {
      const button = document.querySelectorAll(".run")[run].querySelector("button[data-go=" + go + "]");
      button.scrollIntoView({ block: "center" });
      const box = button.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2, width: box.width, height: box.height };
    },
    state(run) {
      const here = document.querySelectorAll(".run")[run];
      const rows = here.querySelectorAll(".steps tbody tr");
      const current = [...here.querySelectorAll(".step.current")];
      const diagram = here.querySelector(".diagram").getBoundingClientRect();
      const box = current.length === 1 ? current[0].getBoundingClientRect() : null;
      return {
        said: here.querySelector(".now").textContent,
        polite: here.querySelector(".now").getAttribute("aria-live"),
        rows: rows.length,
        at: [...rows].findIndex((row) => row.classList.contains("current")),
        drawn: current.length,
        later: here.querySelectorAll(".step.later").length,
        inside: box !== null && box.bottom > diagram.top && box.top < diagram.bottom,
        disabled: [...here.querySelectorAll("button[aria-disabled=true]")].map((button) => button.dataset.go).join(" "),
      };
    },
  };
})();
