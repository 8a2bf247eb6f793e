// A click on a heading sorts its column: numbers from the largest, words from the first.
for (const table of document.querySelectorAll('table.sortable')) {
  const body = table.tBodies[0];
  const key = (row, at) => row.cells[at].dataset.v ?? row.cells[at].textContent;
  table.querySelectorAll('thead th:not(.bars)').forEach((heading) => {
    const at = heading.cellIndex;
    const button = document.createElement('button');
    button.append(...heading.childNodes);
    heading.append(button);
    button.onclick = () => {
      const number = heading.classList.contains('number');
      const down = heading.ariaSort ? heading.ariaSort === 'ascending' : number;
      const number0 = (text) => (text === '' ? -Infinity : parseFloat(text));
      const rows = [...body.rows].sort((a, b) => {
        const x = key(a, at), y = key(b, at);
        const order = number ? number0(x) - number0(y) || 0 : x.localeCompare(y, 'en', { numeric: true });
        return down ? -order : order;
      });
      for (const other of heading.parentNode.cells) other.removeAttribute('aria-sort');
      heading.ariaSort = down ? 'descending' : 'ascending';
      body.append(...rows);
    };
  });
}
