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
    let at = 0;

    const bring = (group) => {
      const box = group.getBBox();
      diagram.scrollTop = box.y - diagram.clientHeight / 2 + 40;
      const whole = (group.querySelector(".arrow, .box") || group).getBBox();
      const end = (group.querySelector(".tip, .cross, .box") || group).getBBox();
      const mark = whole.width < diagram.clientWidth - 160 ? whole : end;
      diagram.scrollLeft = mark.x + mark.width / 2 - diagram.clientWidth / 2;
    };
    const show = (index, scroll) => {
      for (const old of [rows[at], drawn[at]]) if (old) old.classList.remove("current");
      at = Math.min(Math.max(index, 0), rows.length - 1);
      for (const current of [rows[at], drawn[at]]) if (current) current.classList.add("current");
      drawn.forEach((group, place) => group && group.classList.toggle("later", place > at));
      if (drawn[at] && scroll) bring(drawn[at]);
      const [number, time, from, to, event, verdict, clause, sends] = [...rows[at].cells].map((cell) => cell.textContent);
      const said = [from && from + " to", to + ":", event, verdict, clause].filter(Boolean).join(" ");
      const answer = sends ? "; sends " + sends : "";
      now.textContent = "Step " + number + ", " + time + ": " + said + answer + " (" + (at + 1) + " of " + rows.length + ")";
      for (const button of buttons) {
        const back = button.dataset.go === "first" || button.dataset.go === "previous";
        button.setAttribute("aria-disabled", String(back ? at === 0 : at === rows.length - 1));
      }
    };
    const places = { first: () => 0, previous: () => at - 1, next: () => at + 1, last: () => rows.length - 1 };
    const go = (where) => show(places[where](), true);

    for (const button of buttons) button.addEventListener("click", () => go(button.dataset.go));
    drawn.forEach((group, place) => group && group.addEventListener("click", () => show(place, false)));
    /* The times stay in sight when the diagram is moved sideways. */
    diagram.addEventListener("scroll", () => diagram.style.setProperty("--left", diagram.scrollLeft + "px"), { passive: true });
    run.querySelector(".player").hidden = false;
    show(rows.findIndex((row) => "#" + row.dataset.step === location.hash), true);
    return { run, go };
  };

  const players = [...document.querySelectorAll(".run")].map(player).filter(Boolean);
  const keys = { Home: "first", ArrowLeft: "previous", ArrowRight: "next", End: "last" };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || !(event.key in keys)) return;
    /* Keys move what can be scrolled; of several runs they move the one in which they are pressed. */
    if (event.target.closest(".scroll")) return;
    const here = players.find((one) => one.run.contains(event.target)) || (players.length === 1 ? players[0] : undefined);
    if (!here) return;
    event.preventDefault();
    here.go(keys[event.key]);
  });
})();
