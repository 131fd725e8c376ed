"use strict";
(() => {
  const root = document.documentElement;
  const theme = document.getElementById("theme");
  const dark = () => root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; });

  const table = document.getElementById("products");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const words = rows.map(row => row.textContent.toLowerCase());

  const value = (row, column, text) => {
    const cell = row.cells[column];
    if (!cell || cell.colSpan > 1) return null;
    if (text) return cell.textContent.trim();
    const number = parseFloat(cell.dataset.v);
    return Number.isNaN(number) ? null : number;
  };
  const compare = (one, two) => typeof one === "string" ? one.localeCompare(two, "en", { numeric: true }) : one - two;

  const sort = column => {
    const head = heads[column];
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const text = head.hasAttribute("data-text");
    const keyed = [...body.rows].map(row => [value(row, column, text), row]);
    keyed.sort(([one], [two]) => {
      if (one === null || two === null) return (one === null) - (two === null);
      return down ? compare(two, one) : compare(one, two);
    });
    body.append(...keyed.map(([, row]) => row));
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(column));
    head.append(button);
  });

  const search = document.getElementById("filter");
  const verdict = document.getElementById("verdict");
  const kind = document.getElementById("kind");
  const count = document.getElementById("count");
  const filter = () => {
    const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, number) => {
      const said = row.dataset.verdict;
      const fits = wanted.every(word => words[number].includes(word))
        && (!verdict.value || (verdict.value === "wrong" ? said !== "good" : said === verdict.value))
        && (!kind.value || row.dataset.kind === kind.value);
      row.hidden = !fits;
      shown += fits;
    });
    count.textContent = `${shown} of ${rows.length}`;
  };
  [search, verdict, kind].forEach(one => one.addEventListener("input", filter));
  document.querySelector(".tools").hidden = false;
  filter();
})();
