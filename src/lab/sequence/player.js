"use strict";
(() => {
  /* A run on the page: goes to a step, and says where it is. */
  const player = (run) => {
    const rows = [...run.querySelectorAll(".steps tbody tr")];
    if (rows.length === 0) return null;
    const drawn = rows.map((row) => run.querySelector(".step[data-step='" + row.dataset.step + "']"));
    const now = run.querySelector(".now");
    const diagram = run.querySelector(".diagram");
    const buttons = [...run.querySelectorAll("button[data-go]")];
    const [byTid, byActor, states] = [".by-tid", ".by-actor", ".states"].map((part) => run.querySelector(part));
    const drawing = run.querySelector(".diagram svg:not(.head)");
    const full = Number(drawing.getAttribute("height"));
    const cell = (row, place) => row.cells[place].textContent;
    const about = (row) => row.dataset.about.split("|").filter(Boolean);
    /* The places of the rows that no filter leaves out; `at` counts among them. */
    let seen = rows.map((_, place) => place);
    let at = 0;

    const bring = (group) => {
      const box = group.getBBox();
      diagram.scrollTop = box.y - Number(group.dataset.above || 0) - diagram.clientHeight / 2 + 40;
      const whole = (group.querySelector(".arrow, .box") || group).getBBox();
      const end = (group.querySelector(".tip, .cross, .box") || group).getBBox();
      const mark = whole.width < diagram.clientWidth - 160 ? whole : end;
      diagram.scrollLeft = mark.x + mark.width / 2 - diagram.clientWidth / 2;
    };
    /* What each actor was seen to be after its last step up to here. */
    const after = (last) => {
      const known = new Map();
      for (const row of rows.slice(0, last + 1)) known.set(cell(row, 3), cell(row, 9));
      states.replaceChildren();
      for (const [actor, state] of [...known].sort()) {
        if (byActor.value && byActor.value !== actor) continue;
        const [name, said] = [document.createElement("dt"), document.createElement("dd")];
        [name.textContent, said.textContent] = [actor, state || "unknown"];
        states.append(name, said);
      }
    };
    const show = (index, scroll) => {
      for (const old of run.querySelectorAll(".steps .current, .seq .current")) old.classList.remove("current");
      if (seen.length === 0) {
        now.textContent = "No step is about this.";
        states.replaceChildren();
        return;
      }
      at = Math.min(Math.max(index, 0), seen.length - 1);
      const here = seen[at];
      for (const current of [rows[here], drawn[here]]) if (current) current.classList.add("current");
      drawn.forEach((group, place) => group && group.classList.toggle("later", place > here));
      if (drawn[here] && scroll) bring(drawn[here]);
      const [number, time, from, to, , verdict, clause, message, sends] = [...rows[here].cells].map((one) => one.textContent);
      const said = [from && from + " to", to + ":", message, verdict, clause].filter(Boolean).join(" ");
      const answer = sends ? "; sends " + sends : "";
      now.textContent = "Step " + number + ", " + time + ": " + said + answer + " (" + (at + 1) + " of " + seen.length + ")";
      after(here);
      for (const button of buttons) {
        if (button.dataset.go === "refused") continue;
        const back = button.dataset.go === "first" || button.dataset.go === "previous";
        button.setAttribute("aria-disabled", String(back ? at === 0 : at === seen.length - 1));
      }
    };
    const filter = () => {
      const here = seen[at];
      const fits = (row) => (!byTid.value || about(row).includes(byTid.value)) && (!byActor.value || [cell(row, 2), cell(row, 3)].includes(byActor.value));
      let above = 0;
      seen = [];
      rows.forEach((row, place) => {
        const [kept, group] = [fits(row), drawn[place]];
        row.hidden = !kept;
        if (kept) seen.push(place);
        if (!group) return;
        group.classList.toggle("out", !kept);
        group.dataset.above = above;
        group.setAttribute("transform", "translate(0 " + -above + ")");
        if (!kept) above += Number(group.dataset.height);
      });
      drawing.setAttribute("height", full - above);
      drawing.setAttribute("viewBox", "0 0 " + drawing.getAttribute("width") + " " + (full - above));
      show(seen.findIndex((place) => place >= here), true);
    };
    const refused = () => {
      const one = (place) => rows[seen[place]].classList.contains("refused");
      const order = seen.map((_, step) => (at + 1 + step) % seen.length);
      return order.find(one) ?? at;
    };
    const offer = (list, values) => [...new Set(values)].filter(Boolean).sort((a, b) => a.localeCompare(b, "en", { numeric: true })).forEach((value) => list.add(new Option(value, value)));
    offer(byTid, rows.flatMap(about));
    offer(byActor, rows.flatMap((row) => [cell(row, 2), cell(row, 3)]));
    for (const list of [byTid, byActor]) list.addEventListener("change", filter);
    const places = { first: () => 0, previous: () => at - 1, next: () => at + 1, last: () => seen.length - 1, refused };
    const go = (where) => show(places[where](), true);

    for (const button of buttons) button.addEventListener("click", () => go(button.dataset.go));
    drawn.forEach((group, place) => group && group.addEventListener("click", () => show(seen.indexOf(place), false)));
    /* The times stay in sight when the diagram is moved sideways. */
    diagram.addEventListener("scroll", () => diagram.style.setProperty("--left", diagram.scrollLeft + "px"), { passive: true });
    run.querySelector(".player").hidden = false;
    show(rows.findIndex((row) => "#" + row.dataset.step === location.hash), true);
    return { run, go };
  };

  const players = [...document.querySelectorAll(".run")].map(player).filter(Boolean);
  const keys = { Home: "first", ArrowLeft: "previous", ArrowRight: "next", End: "last", r: "refused" };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !(event.key in keys)) return;
    /* Keys move what can be scrolled; of several runs they move the one in which they are pressed. */
    if (event.target.closest("select, input") || (event.key !== "r" && event.target.closest(".scroll"))) return;
    const here = players.find((one) => one.run.contains(event.target)) || (players.length === 1 ? players[0] : undefined);
    if (!here) return;
    event.preventDefault();
    here.go(keys[event.key]);
  });
})();
