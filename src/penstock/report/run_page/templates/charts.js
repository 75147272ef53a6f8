// Vega-Lite specifications, in the colors of the page's theme.
const color = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function config() {
  const font = getComputedStyle(document.body).fontFamily;
  return {
    background: null, font, view: {stroke: null},
    axis: {labelColor: color("soft"), titleColor: color("soft"), titleFontWeight: 400, gridColor: color("line"), domainColor: color("line"),
      tickColor: color("line"), labelFontSize: 12, titleFontSize: 12},
    legend: {labelColor: color("soft"), titleColor: color("soft"), titleFontWeight: 400, labelFontSize: 12, titleFontSize: 12},
  };
}

// Draw a specification. `onclick` gets the datum below the pointer. A hidden element has no width, so it waits.
async function draw(place, spec, onclick) {
  const theme = document.documentElement.dataset.theme === "dark" ? "dark" : "light";
  const options = {mode: "vega-lite", actions: false, ast: true, renderer: "svg", logLevel: 1, config: config(), tooltip: {theme}};
  const {view} = await window.vegaEmbed(place, {width: "container", ...spec}, options);
  if (onclick) view.addEventListener("click", (event, item) => item && item.datum && onclick(item.datum));
  return view;
}

const GROUPS = [["model", "model"], ["seed, snapshot, hook", "seed"], ["test", "test"], ["failed", "bad"], ["warning", "warn"], ["running", "running"]];

function groupOf(node) {
  if (FAILED.includes(node.status)) return "failed";
  if (node.status === "warn") return "warning";
  if (node.status === "running") return "running";
  return isTest(node) ? "test" : node.type === "model" ? "model" : "seed, snapshot, hook";
}

function timelineRows(data, width) {
  const end = Math.max(data.run.seconds, ...data.nodes.map(node => node.end || 0));
  const threads = [...new Set(data.nodes.filter(node => has(node.start)).map(node => node.thread || ""))]
    .sort((one, other) => one.localeCompare(other, "en", {numeric: true}));
  const critical = new Set(data.critical);
  const rows = data.nodes.filter(node => has(node.start) && node.status !== "skipped").map(node => {
    const until = has(node.end) ? node.end : end;
    const letters = Math.floor((until - node.start) / Math.max(end, 0.001) * (width - 60) / 7.2) - 1;
    const label = letters < 4 ? "" : node.name.length > letters ? `${node.name.slice(0, letters - 1)}…` : node.name;
    return {id: node.id, name: node.name, status: node.status, start: node.start, end: until, label, group: groupOf(node),
      lane: String(threads.indexOf(node.thread || "") + 1), critical: critical.has(node.id) ? "yes" : "no",
      duration: format.seconds(until - node.start), queue: format.seconds(node.queue)};
  });
  return {rows, end};
}

function timelineSpec(data, width) {
  const {rows, end} = timelineRows(data, width);
  const x = {field: "start", type: "quantitative", title: "seconds since the command started", scale: {domain: [0, end], nice: false},
    axis: {tickCount: Math.max(3, Math.floor(width / 110)), grid: true}};
  const y = {field: "lane", type: "ordinal", title: null, axis: {domain: false, ticks: false, labelPadding: 8},
    sort: [...new Set(rows.map(row => row.lane))].sort((one, other) => one - other)};
  const tooltip = [["name", "node"], ["status", "status"], ["duration", "seconds"], ["queue", "in queue"], ["critical", "critical path"]]
    .map(([field, title]) => ({field, title, type: "nominal"}));
  return {
    data: {values: rows}, height: 34 * different(rows, "lane"),
    layer: [
      {mark: {type: "bar", cornerRadius: 3, cursor: "pointer", height: {band: 0.78}},
        encoding: {x, x2: {field: "end"}, y, tooltip,
          color: {field: "group", type: "nominal", legend: null,
            scale: {domain: GROUPS.map(([name]) => name), range: GROUPS.map(([, name]) => color(name))}},
          opacity: {condition: {test: "datum.critical === 'yes'", value: 1}, value: 0.34},
          stroke: {value: color("card")}, strokeWidth: {value: 0.7}}},
      {transform: [{filter: "datum.label !== ''"}],
        mark: {type: "text", align: "left", baseline: "middle", dx: 6, fontSize: 12, cursor: "pointer"},
        encoding: {x, y, text: {field: "label", type: "nominal"}, tooltip,
          color: {condition: {test: "datum.critical === 'yes'", value: document.documentElement.dataset.theme === "dark" ? "#0d1117" : "#ffffff"},
            value: color("ink")}}},
    ],
  };
}

function secondsSpec(node) {
  const parts = [["in queue", node.queue, color("test")], ["compile", node.compile, color("seed")],
    ["in Spark", node.spark_seconds, color("model")],
    ["waiting for Spark", has(node.waiting) ? node.waiting : undefined, color("warn")],
    ["execution", has(node.spark_seconds) ? undefined : node.execution, color("model")]].filter(([, value]) => has(value));
  return {
    data: {values: parts.map(([part, seconds], order) => ({part, seconds, order, text: format.seconds(seconds)}))}, height: 30,
    mark: {type: "bar", cornerRadius: 3, stroke: color("card")},
    encoding: {
      x: {field: "seconds", type: "quantitative", stack: "zero", title: null, axis: {grid: false, tickCount: 6}},
      order: {field: "order"},
      color: {field: "part", type: "nominal", title: null, legend: {orient: "top", columns: 0, symbolType: "square"},
        scale: {domain: parts.map(part => part[0]), range: parts.map(part => part[2])}},
      tooltip: [{field: "part", title: "part"}, {field: "text", title: "seconds"}],
    },
  };
}

function historySpec(node) {
  const rows = node.history.map((run, number) => ({number, seconds: run.seconds, status: run.status, started: format.time(run.started),
    text: format.seconds(run.seconds), failed: FAILED.includes(run.status)}));
  const x = {field: "number", type: "ordinal", axis: null};
  const y = {field: "seconds", type: "quantitative", title: "seconds", axis: {tickCount: 3}, scale: {zero: true}};
  return {
    data: {values: rows}, height: 90,
    layer: [
      {mark: {type: "line", color: color("model"), strokeWidth: 1.5}, encoding: {x, y}},
      {mark: {type: "point", filled: true, size: 46, opacity: 1}, encoding: {x, y,
        color: {condition: {test: "datum.failed", value: color("bad")}, value: color("model")},
        tooltip: [{field: "started", title: "started"}, {field: "text", title: "seconds"}, {field: "status", title: "status"}]}},
    ],
  };
}

const different = (rows, field) => new Set(rows.map(row => row[field])).size;

function intervalSpec(rows) {
  const states = ["built", "stale", "failed"];
  return {
    data: {values: rows.map(row => ({...row, model: row.relation.split(".").pop(), count: format.count(row.rows)}))}, height: 22 * different(rows, "relation"),
    mark: {type: "rect", cornerRadius: 2, stroke: color("card"), strokeWidth: 2},
    encoding: {
      x: {field: "interval", type: "ordinal", title: null, axis: {labelOverlap: true, labelAngle: 0, ticks: false, domain: false}},
      y: {field: "model", type: "nominal", title: null, axis: {ticks: false, domain: false, labelLimit: 190}},
      color: {field: "state", type: "nominal", title: null, legend: {orient: "top"},
        scale: {domain: states, range: [color("seed"), color("warn"), color("bad")]}},
      tooltip: ["relation", "interval", "state", "reason", "count"].map(field => ({field, title: field === "count" ? "rows" : field})),
    },
  };
}

function quarantineSpec(rows) {
  const dark = document.documentElement.dataset.theme === "dark";
  return {
    data: {values: rows.map(row => ({...row, text: `${(100 * row.share).toFixed(3)} %`, count: format.count(row.rows)}))}, height: 22 * different(rows, "rule"),
    mark: {type: "rect", cornerRadius: 2, stroke: color("card"), strokeWidth: 2},
    encoding: {
      x: {field: "month", type: "ordinal", title: null, axis: {labelOverlap: true, labelAngle: 0, ticks: false, domain: false}},
      y: {field: "rule", type: "nominal", title: null, axis: {ticks: false, domain: false, labelLimit: 190}},
      color: {field: "share", type: "quantitative", title: "share", legend: {orient: "top", format: ".1%", gradientLength: 160},
        scale: {range: dark ? ["#33270f", "#e3b341"] : ["#fdf3d7", "#a15c00"]}},
      tooltip: [{field: "rule"}, {field: "month"}, {field: "text", title: "share"}, {field: "count", title: "rows"}],
    },
  };
}
