"use strict";
(() => {
  const rows = [...document.querySelectorAll("#steps tbody tr")];
  if (rows.length === 0) return;
  const titles = [...document.querySelectorAll("#steps thead th")].map((cell) => cell.textContent);
  const drawn = rows.map((row) => document.getElementById("step-" + row.dataset.step));
  const player = document.querySelector(".player");
  const now = document.querySelector(".now");
  const details = document.querySelector(".details tbody");
  const diagram = document.querySelector(".diagram");
  const buttons = [...document.querySelectorAll("button[data-go]")];
  let at = 0;

  const show = (index, scroll) => {
    rows[at].classList.remove("current");
    if (drawn[at]) drawn[at].classList.remove("current");
    at = Math.min(Math.max(index, 0), rows.length - 1);
    rows[at].classList.add("current");
    drawn.forEach((group, place) => group && group.classList.toggle("later", place > at));
    const group = drawn[at];
    if (group) {
      group.classList.add("current");
      if (scroll) {
        const box = group.getBBox();
        diagram.scrollTop = box.y - diagram.clientHeight / 2 + 40;
        const marks = [...group.querySelectorAll(".arrow, .box")];
        const first = marks.length ? marks[0].getBBox() : box;
        diagram.scrollLeft = first.x + first.width / 2 - diagram.clientWidth / 2;
      }
    }
    const cells = [...rows[at].cells].map((cell) => cell.textContent);
    details.replaceChildren(...cells.map((text, place) => {
      const row = document.createElement("tr");
      const title = document.createElement("th");
      title.scope = "row";
      title.textContent = titles[place];
      const value = document.createElement("td");
      value.textContent = text === "" ? "none" : text;
      row.append(title, value);
      return row;
    }));
    const said = [cells[2] && cells[2] + " to", cells[3], cells[4], cells[5], cells[6]].filter(Boolean).join(" ");
    now.textContent = "Step " + (at + 1) + " of " + rows.length + ": " + said;
    for (const button of buttons) {
      const back = button.dataset.go === "first" || button.dataset.go === "previous";
      button.setAttribute("aria-disabled", String(back ? at === 0 : at === rows.length - 1));
    }
  };
  const go = { first: () => 0, previous: () => at - 1, next: () => at + 1, last: () => rows.length - 1 };
  const keys = { Home: "first", ArrowLeft: "previous", ArrowRight: "next", End: "last" };

  for (const button of buttons) button.addEventListener("click", () => show(go[button.dataset.go](), true));
  drawn.forEach((group, place) => group && group.addEventListener("click", () => show(place, false)));
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest(".scroll, .details")) return;
    if (!(event.key in keys)) return;
    event.preventDefault();
    show(go[keys[event.key]](), true);
  });
  player.hidden = false;
  show(0, true);
})();
