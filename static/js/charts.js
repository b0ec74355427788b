// Draws each <figure data-chart="id"> from the JSON in the element of that id, as stacked bars. The page's
// table has the same numbers: without scripts nothing is lost. Colors are the stylesheet's.
(() => {
  "use strict";
  const SEVERITY = { critical: "--chart-1", high: "--chart-2", medium: "--chart-3", low: "--chart-4", "": "--chart-7" };
  // Not the reds first: they mean something in the chart above.
  const OTHERS = ["--chart-4", "--chart-5", "--chart-6", "--chart-3", "--chart-2", "--chart-1"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = [];

  const read = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function pick(series, index, kind) {
    const name = kind === "severity" ? SEVERITY[series.key] : series.key === "" ? "--chart-7" : OTHERS[index];
    return read(name || "--chart-7");
  }

  function draw(figure) {
    const data = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const ink = read("--ink-soft");
    const line = read("--line");
    const axis = { stacked: true, grid: { color: line }, ticks: { color: ink }, border: { color: line } };
    return new Chart(figure.querySelector("canvas"), {
      type: "bar",
      data: {
        labels: data.labels,
        datasets: data.series.map((series, index) => ({
          label: series.label,
          data: series.counts,
          backgroundColor: pick(series, index, figure.dataset.kind),
        })),
      },
      options: {
        animation: calm.matches ? false : { duration: 120 },
        maintainAspectRatio: false,
        scales: {
          x: { ...axis, grid: { display: false }, ticks: { color: ink, maxRotation: 0, autoSkipPadding: 16 } },
          y: { ...axis, beginAtZero: true, ticks: { color: ink, precision: 0 } },
        },
        plugins: { legend: { position: "bottom", labels: { color: read("--ink"), boxWidth: 12, boxHeight: 12 } } },
      },
    });
  }

  function drawAll() {
    while (drawn.length) drawn.pop().destroy();
    for (const figure of document.querySelectorAll("figure[data-chart]")) {
      figure.hidden = false;
      drawn.push(draw(figure));
    }
  }

  drawAll();
  dark.addEventListener("change", drawAll);
})();
