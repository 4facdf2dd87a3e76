"use strict";

// A table that sorts by its headings and shows only the rows that a form asks for.
function interactive(table, form, shown) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const measured = [...body.rows];
  const words = new Map(measured.map((row) => [row, row.textContent.toLowerCase()]));
  const collator = new Intl.Collator("en", { numeric: true });

  const next = { none: "ascending", ascending: "descending", descending: "none" };

  // What is missing comes last, whichever way the order runs.
  function compare(first, second, isNumber, direction) {
    const [a, b] = isNumber ? [first.dataset.value, second.dataset.value] : [first.textContent, second.textContent];
    if (!a || !b) return Number(!a) - Number(!b);
    return direction * (isNumber ? Number(a) - Number(b) : collator.compare(a, b));
  }

  function sort(heading) {
    const order = next[heading.getAttribute("aria-sort")];
    for (const other of headings) other.setAttribute("aria-sort", other === heading ? order : "none");
    const column = heading.cellIndex;
    const isNumber = heading.classList.contains("number");
    const direction = order === "descending" ? -1 : 1;
    const ordered = order === "none" ? measured : measured.toSorted(
      (a, b) => compare(a.cells[column], b.cells[column], isNumber, direction));
    body.append(...ordered);
  }

  function filter() {
    const wanted = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...form.querySelectorAll("select")].filter((select) => select.value).map((select) => [
      headings.findIndex((heading) => heading.dataset.column === select.dataset.column), select.value]);
    let count = 0;
    for (const row of measured) {
      row.hidden = !(wanted.every((word) => words.get(row).includes(word))
        && chosen.every(([column, value]) => row.cells[column].textContent === value));
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = `Rows shown: ${count.toLocaleString("en")} of ${measured.length.toLocaleString("en")}`;
  }

  for (const heading of headings) heading.firstElementChild.addEventListener("click", () => sort(heading));
  for (const event of ["input", "change"]) form.addEventListener(event, filter); // not every tool tells of both
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("button").addEventListener("click", () => { form.reset(); filter(); });
  filter(); // a browser may have kept what the fields held
}

// Comma-separated values after RFC 4180; several values in one entry are apart by spaces.
function csv(lines) {
  const entry = (value) => {
    const text = Array.isArray(value) ? value.join(" ") : String(value ?? "");
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return lines.map((line) => line.map(entry).join(",") + "\r\n").join("");
}

function jsonLines([columns, ...rows]) {
  const named = (row) => Object.fromEntries(columns.map((column, index) => [column, row[index]]));
  return rows.map((row) => JSON.stringify(named(row)) + "\n").join("");
}

function offer(link, type, text) {
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.parentElement.hidden = false;
}

const table = document.getElementById("measurements");
if (table) {
  interactive(table, document.getElementById("filters"), document.getElementById("shown"));
  const lines = JSON.parse(document.getElementById("rows").textContent); // the names of the columns, then the rows
  offer(document.getElementById("jsonl"), "application/x-ndjson", jsonLines(lines));
  offer(document.getElementById("csv"), "text/csv", csv(lines));
}
