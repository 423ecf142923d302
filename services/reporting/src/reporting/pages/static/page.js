// Draws the charts of the overview from the figures in the page; amounts arrive in fen.
const figures = JSON.parse(document.getElementById("figures").textContent);
const words = figures.words;
const INK = "#334155", FAINT = "#e2e8f0";
const COLOURS = ["#0f766e", "#f59e0b", "#3b82f6", "#e11d48", "#8b5cf6", "#65a30d", "#0891b2", "#db2777", "#78716c", "#1d4ed8"];
const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
const yuan = (fen) => (fen / 100).toLocaleString(document.documentElement.lang, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const short = (fen) => (fen / 100).toLocaleString(document.documentElement.lang, { notation: "compact", maximumFractionDigits: 1 });
const font = getComputedStyle(document.body).fontFamily;
const common = { color: COLOURS, animation: !still, textStyle: { fontFamily: font, color: INK }, aria: { enabled: true } };
const axis = { axisLine: { lineStyle: { color: FAINT } }, axisTick: { show: false }, axisLabel: { color: INK }, splitLine: { lineStyle: { color: FAINT } } };
const legend = { bottom: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, textStyle: { color: INK } };
const drawn = [];

function draw(id, isEmpty, option) {
  const place = document.getElementById(id);
  if (isEmpty) {
    place.textContent = words.none;
    place.classList.add("empty");
    return;
  }
  const chart = echarts.init(place, null, { renderer: "svg" });
  chart.setOption({ ...common, ...option });
  drawn.push(chart);
}

// Rows [row, series, value] as one stacked bar per row.
function stacked(rows) {
  const names = [...new Set(rows.map((each) => each[0]))];
  const series = [...new Set(rows.map((each) => each[1]))];
  return {
    grid: { left: 8, right: 16, top: 8, bottom: 34, containLabel: true },
    legend,
    tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
    xAxis: { type: "value", minInterval: 1, ...axis },
    yAxis: { type: "category", data: names, inverse: true, ...axis },
    series: series.map((name) => ({
      name, type: "bar", stack: "all", barMaxWidth: 22,
      data: names.map((row) => rows.filter((each) => each[0] === row && each[1] === name).reduce((sum, each) => sum + each[2], 0)),
    })),
  };
}

draw("chart-days", !figures.days.names.length, {
  grid: { left: 8, right: 16, top: 16, bottom: 34, containLabel: true },
  legend,
  tooltip: { trigger: "axis", valueFormatter: yuan },
  xAxis: { type: "category", data: figures.days.names, ...axis, axisLabel: { color: INK, formatter: (day) => day.slice(5) } },
  yAxis: { type: "value", ...axis, axisLabel: { color: INK, formatter: short } },
  series: [
    { name: words.net, type: "bar", barMaxWidth: 26, itemStyle: { borderRadius: [3, 3, 0, 0] }, data: figures.days.net },
    { name: words.refunds, type: "line", symbolSize: 5, data: figures.days.refunds },
  ],
});
draw("chart-categories", !figures.categories.length, {
  grid: { left: 8, right: 24, top: 8, bottom: 8, containLabel: true },
  tooltip: { trigger: "axis", axisPointer: { type: "shadow" }, valueFormatter: yuan },
  xAxis: { type: "value", ...axis, axisLabel: { color: INK, formatter: short } },
  yAxis: { type: "category", inverse: true, data: figures.categories.map((each) => each[0]), ...axis, axisLabel: { color: INK, width: 140, overflow: "truncate" } },
  series: [{ type: "bar", barMaxWidth: 18, itemStyle: { borderRadius: [0, 3, 3, 0] }, data: figures.categories.map((each) => each[1]) }],
});
draw("chart-tenders", !figures.tenders.length, {
  legend,
  tooltip: { valueFormatter: yuan },
  series: [{
    type: "pie", radius: ["48%", "72%"], center: ["50%", "45%"], label: { formatter: "{b} {d}%", color: INK },
    itemStyle: { borderColor: "#fff", borderWidth: 2 },
    data: figures.tenders.map(([name, value]) => ({ name, value })),
  }],
});
draw("chart-returns", !figures.returns.length, stacked(figures.returns));
draw("chart-feedback", !figures.feedback.length, stacked(figures.feedback));
const fit = () => drawn.forEach((chart) => chart.resize());
addEventListener("resize", fit);
addEventListener("beforeprint", fit);
document.body.dataset.drawn = drawn.length;
