// The page: header, timeline, table of nodes, intervals, freshness. A live page reads its data again.
const source = byId("data");
let data = JSON.parse(source.textContent);
const view = {kind: "Models", search: "", sort: "start", descending: false};
const FAILURES = 6;
const KINDS = {Models: node => !isTest(node), Tests: isTest, All: () => true};
const COLUMNS = [
  {title: "Node", key: "name", text: true}, {title: "Kind", key: "type", text: true, wide: true}, {title: "Status", key: "status", text: true}, {title: "Seconds", key: "seconds", show: format.short},
  {title: "Queue", key: "queue", show: format.short, wide: true}, {title: "In Spark", key: "spark_seconds", show: format.short, wide: true},
  {title: "Waiting", key: "waiting", show: format.short, wide: true}, {title: "Rows out", key: "rows_out", show: format.count},
  {title: "Read", key: "read", show: format.bytes, wide: true}, {title: "Written", key: "written", show: format.bytes, wide: true},
  {title: "Shuffled", key: "shuffled", show: format.bytes, wide: true}, {title: "Spilled", key: "spilled", show: format.bytes, wide: true},
  {title: "Skew", key: "skew", show: format.ratio, wide: true}, {title: "Before", key: "change", wide: true},
];

function showHeader() {
  const run = data.run;
  byId("command").replaceChildren(element("code", {}, run.arguments), badge(run.result));
  byId("about").textContent = [`project ${run.project}`, `target ${run.target}`, format.time(run.started), `run ${run.id}`].join(" · ");
  byId("versions").textContent = Object.entries(run.versions).map(([name, version]) => `${name} ${version}`).join(" · ");
}

function showFacts() {
  const tests = data.nodes.filter(isTest), others = data.nodes.filter(node => BUILT.includes(node.type));
  const bad = nodes => nodes.filter(node => FAILED.includes(node.status)).length;
  const failures = count => element("em", {}, `${count} failed`);
  const skipped = data.nodes.filter(node => node.status === "skipped").length;
  const ended = data.nodes.filter(node => has(node.end) && node.type !== "operation").length;
  const progress = data.run.result === "running" && data.run.node_count ? `${ended} of ${plural(data.run.node_count, "node")}` : plural(data.run.threads, "thread");
  const facts = [
    ["Seconds", format.seconds(data.run.seconds), progress],
    ["Models, seeds", format.count(others.length), bad(others) ? failures(bad(others)) : skipped ? `${plural(skipped, "node")} skipped` : "none failed"],
    ["Tests", format.count(tests.length), tests.length ? bad(tests) ? failures(bad(tests)) : "none failed" : ""],
    ["Rows out", format.count(total(others, "rows_out")), has(total(others, "files")) ? plural(total(others, "files"), "file") : ""],
    ["Read", format.bytes(total(others, "read")), ""], ["Written", format.bytes(total(others, "written")), ""],
    ["Shuffled", format.bytes(total(others, "shuffled")), ""], ["Spilled", format.bytes(total(others, "spilled")), ""],
  ].filter(([, value]) => value !== "–");
  byId("facts").replaceChildren(...facts.map(([name, value, note], place) =>
    element("div", {class: `fact${place === facts.length - 1 && place % 2 === 0 ? " last-odd" : ""}`}, element("span", {}, name), element("b", {}, value), element("span", {}, note))));
}

function showFailures() {
  const failed = data.nodes.filter(node => FAILED.includes(node.status));
  byId("failures").hidden = !failed.length;
  const line = node => element("div", {class: "failure"}, element("div", {}, link(data, node.id)), element("pre", {}, node.message || node.status));
  const [shown, more] = [failed.slice(0, FAILURES), failed.slice(FAILURES)];
  byId("failures").querySelector("h2").textContent = failed.length === 1 ? "1 failure" : `${failed.length} failures`;
  byId("failures").querySelector(".body").replaceChildren(...shown.map(line),
    ...(more.length ? [element("details", {}, element("summary", {}, `${more.length} more`), more.map(line))] : []));
}

function showTimeline() {
  const place = byId("timeline"), width = place.clientWidth || 800;
  const used = new Set(data.nodes.filter(node => has(node.start)).map(groupOf));
  const legend = element("div", {class: "legend"}, GROUPS.filter(([name]) => used.has(name)).map(([name, paint]) =>
    element("span", {}, element("i", {style: `background:var(--${paint})`}), name)), element("span", {}, "full color: on the critical path"));
  const chart = element("div", {class: "chart"});
  place.replaceChildren(legend, chart);
  if (used.size) draw(chart, timelineSpec(data, width), datum => datum.id && panel.open(data, datum.id));
  const path = data.critical.map(id => data.nodes.find(node => node.id === id)).filter(Boolean);
  const seconds = total(path, "seconds") || 0, queue = total(path, "queue") || 0;
  byId("critical-seconds").textContent = path.length ? `${format.seconds(seconds)} in ${plural(path.length, "node")}, ${format.seconds(queue)} in queue` : "";
  byId("critical").replaceChildren(...path.map(node => element("li", {}, element("button", {type: "button", class: "chip",
    onclick: () => panel.open(data, node.id)}, breakable(node.name), element("b", {}, format.seconds(node.seconds))))));
}

function sortedNodes() {
  const words = view.search.toLowerCase();
  const rows = data.nodes.filter(node => KINDS[view.kind](node) && `${node.name} ${node.relation || ""} ${node.status}`.toLowerCase().includes(words));
  const value = node => view.sort === "change" ? node.before && node.before.slower ? node.seconds / node.before.seconds : undefined : node[view.sort];
  const compare = (one, other) => {
    const [left, right] = [value(one), value(other)];
    if (!has(left) || !has(right)) return has(left) ? -1 : has(right) ? 1 : 0;
    return (view.descending ? -1 : 1) * (typeof left === "string" ? left.localeCompare(right) : left - right);
  };
  return rows.sort(compare);
}

function cell(column, node) {
  if (column.key === "name") {
    return element("td", {class: "name"}, element("button", {type: "button"}, breakable(node.name)));
  }
  if (column.key === "type") return element("td", {class: "wide soft nowrap"}, kindOf(node).join(", "));
  if (column.key === "status") return element("td", {}, badge(node.status));
  if (column.key === "change") {
    const before = node.before, slower = before && before.slower;
    const text = !before ? "" : slower ? format.change(node.seconds, before.seconds) : "≈";
    const plan = before && before.plan.length ? " plan" : "";
    return element("td", {class: `n wide ${slower ? node.seconds > before.seconds ? "up" : "down" : "soft"}`}, text + plan);
  }
  return element("td", {class: `n ${column.wide ? "wide" : ""}`}, has(node[column.key]) ? column.show(node[column.key]) : "");
}

function showNodes() {
  byId("kinds").replaceChildren(...Object.keys(KINDS).map(kind => element("button", {type: "button",
    "aria-pressed": kind === view.kind ? "true" : "false", onclick() { view.kind = kind; showNodes(); }}, kind)));
  const shown = COLUMNS.filter(column => column.text || data.nodes.some(node => KINDS[view.kind](node) && (column.key === "change" ? node.before : has(node[column.key]))));
  const head = shown.map(column => element("th", {class: `${column.text ? "" : "n"} ${column.wide ? "wide" : ""}`,
    "aria-sort": view.sort === column.key ? view.descending ? "descending" : "ascending" : undefined},
  element("button", {type: "button", onclick() {
    view.descending = view.sort === column.key ? !view.descending : !column.text;
    view.sort = column.key;
    showNodes();
  }}, column.title)));
  byId("nodes").tHead.replaceChildren(element("tr", {}, head));
  byId("nodes").tBodies[0].replaceChildren(...sortedNodes().map(node => element("tr", {"data-id": node.id, onclick: () => panel.open(data, node.id)},
    shown.map(column => cell(column, node)))));
}

function showLedger() {
  const ledger = data.ledger || {intervals: [], quarantined: [], notes: []};
  byId("intervals").hidden = !ledger.intervals.length;
  byId("quarantine").hidden = !ledger.quarantined.length;
  if (ledger.intervals.length) {
    const count = state => ledger.intervals.filter(row => row.state === state).length;
    byId("intervals").querySelector("h2 .soft").textContent = `${count("built")} built, ${count("stale")} stale, ${count("failed")} failed`;
    byId("intervals").querySelector(".notes").textContent = ledger.notes.join("; ");
    draw(byId("intervals").querySelector(".chart"), intervalSpec(ledger.intervals));
  }
  if (ledger.quarantined.length) draw(byId("quarantine").querySelector(".chart"), quarantineSpec(ledger.quarantined));
}

function age(seconds) {
  if (!has(seconds)) return "unknown";
  return seconds < 172800 ? `${(seconds / 3600).toFixed(1)} hours` : `${Math.round(seconds / 86400).toLocaleString("en-US")} days`;
}

function showFreshness() {
  const rows = data.freshness;
  byId("freshness").hidden = !rows.length;
  if (!rows.length) return;
  byId("freshness").querySelector("h2 .soft").textContent = `measured ${format.time(rows[0].measured)}`;
  byId("freshness").querySelector("table").replaceChildren(
    element("thead", {}, element("tr", {}, ["Source", "Status", "Age", "Newest row", "Limits"].map((name, place) => element("th", {class: place > 2 ? "wide" : ""}, name)))),
    element("tbody", {}, rows.map(row => element("tr", {}, element("td", {}, row.source), element("td", {}, badge(row.status)), element("td", {}, age(row.age)),
      element("td", {class: "wide"}, format.time(row.loaded)), element("td", {class: "wide"}, row.limits.join(", "))))));
}

function showRun() {
  showHeader();
  showFacts();
  showFailures();
  showTimeline();
  showNodes();
}

function showAll() {
  showRun();
  showLedger();
  showFreshness();
}

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem("penstock-theme", name); } catch { /* A page from disk may have no storage. */ }
}

function chosenTheme() {
  let kept = null;
  try { kept = localStorage.getItem("penstock-theme"); } catch { /* A page from disk may have no storage. */ }
  return kept || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

async function refresh() {
  try {
    const response = await fetch("data.json", {cache: "no-store"});
    if (response.ok) {
      data = await response.json();
      showRun(); // The server reads the run ledger once.
    }
  } catch { /* The server has ended: the page keeps what it shows. */ }
  setTimeout(refresh, data.run.result === "running" ? 2000 : 5000);
}

document.documentElement.dataset.theme = chosenTheme();
byId("theme").addEventListener("click", () => {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  showAll();
  if (panel.node) panel.show(data, data.nodes.find(node => node.id === panel.node), panel.tab);
});
byId("search").addEventListener("input", event => { view.search = event.target.value; showNodes(); });
byId("shade").addEventListener("click", () => panel.close());
document.addEventListener("keydown", event => { if (event.key === "Escape" && panel.node) panel.close(); });
let resizing = 0;
addEventListener("resize", () => { clearTimeout(resizing); resizing = setTimeout(showTimeline, 200); });
showAll();
if (location.hash.length > 1) panel.open(data, decodeURIComponent(location.hash.slice(1)));
if (source.dataset.live) setTimeout(refresh, 2000);
