// The panel about one node.
const panel = {
  node: null, tab: "Overview", opener: null,

  open(data, id, tab = "Overview") {
    const node = data.nodes.find(item => item.id === id);
    if (!node) return;
    if (byId("panel").hidden) this.opener = document.activeElement;
    this.node = id;
    byId("panel").hidden = byId("shade").hidden = false;
    document.body.classList.add("locked");
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
    this.show(data, node, tab);
    byId("panel").scrollTop = 0;
    byId("panel").focus();
  },

  close() {
    byId("panel").hidden = byId("shade").hidden = true;
    document.body.classList.remove("locked");
    history.replaceState(null, "", "#");
    this.node = null;
    if (this.opener && this.opener.isConnected) this.opener.focus();
  },

  show(data, node, tab) {
    const tabs = {Overview: overview, Plan: node.plan && planTab, Tests: node.tests && testsTab, Columns: columnNames(data, node).length && columnsTab};
    const names = Object.keys(tabs).filter(name => tabs[name]);
    this.tab = names.includes(tab) ? tab : "Overview";
    const button = name => element("button", {type: "button", role: "tab", "aria-selected": name === this.tab ? "true" : "false",
      onclick: () => this.show(data, node, name)}, name === "Tests" ? `Tests ${node.tests.length}` : name);
    const kind = [...kindOf(node), node.relation].filter(Boolean);
    byId("panel").replaceChildren(
      element("div", {class: "panel-head"},
        element("div", {class: "row"},
          element("div", {}, element("h2", {id: "panel-title"}, breakable(node.name), " ", badge(node.status)), element("p", {class: "soft"}, kind.join(" · "))),
          element("button", {type: "button", class: "button", "aria-label": "Close", onclick: () => this.close()}, "✕")),
        element("div", {class: "tabs", role: "tablist"}, names.map(button))),
      element("div", {class: "panel-body"}));
    tabs[this.tab](data, node, byId("panel").querySelector(".panel-body"));
  },
};

const link = (data, id) => {
  const node = data.nodes.find(item => item.id === id);
  return node ? element("button", {type: "button", class: "chip", onclick: () => panel.open(data, id)}, breakable(node.name))
    : element("span", {class: "chip"}, id.split(".").slice(id.startsWith("source.") ? -2 : -1).join("."));
};

function figures(pairs) {
  const shown = pairs.filter(([, value]) => has(value) && value !== "–" && value !== "");
  return element("dl", {class: "figures"}, shown.map(([name, value, note]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value, note ? element("small", {}, note) : ""))));
}

function overview(data, node, body) {
  const critical = data.critical.includes(node.id) ? [element("p", {class: "soft"}, "On the critical path of this command.")] : [];
  if (node.message) body.append(element("p", {class: `message ${FAILED.includes(node.status) ? "error" : ""}`}, node.message));
  if (node.description) body.append(element("p", {}, node.description));
  body.append(...critical, element("h3", {}, "Seconds"));
  body.append(figures([["In queue", format.seconds(node.queue)], ["Compile", format.seconds(node.compile)],
    ["Execution", format.seconds(node.execution)], ["In Spark", format.seconds(node.spark_seconds)],
    ["Waiting for Spark", format.seconds(node.waiting)]]));
  const chart = element("div", {class: "chart"});
  body.append(chart);
  if (has(node.execution)) draw(chart, secondsSpec(node));
  const work = figures([["Rows in", format.count(node.rows_in)], ["Rows out", format.count(node.rows_out)], ["Read", format.bytes(node.read)],
    ["Written", format.bytes(node.written)], ["Shuffled", format.bytes(node.shuffled)], ["Spilled", format.bytes(node.spilled)],
    ["Skew", format.ratio(node.skew), has(node.longest_task) ? `longest task ${format.seconds(node.longest_task)}` : ""],
    ["Tasks", format.count(node.tasks)], ["Files written", format.count(node.files), node.commits > 1 ? `in ${node.commits} commits` : ""],
    ["Failing rows", format.count(node.failures)]]);
  if (work.childElementCount) body.append(element("h3", {}, "Work"), work);
  if (node.tested) body.append(element("h3", {}, "Tests"), element("p", {}, node.tested.map(id => link(data, id))));
  showBefore(node, body);
  if (node.history && node.history.length > 1) {
    const place = element("div", {class: "chart history"});
    body.append(element("h3", {}, `Last ${node.history.length} runs`), place);
    draw(place, historySpec(node));
  }
  if (node.file) body.append(element("p", {class: "soft"}, element("code", {}, node.file)));
}

function showBefore(node, body) {
  const before = node.before;
  if (!before) return;
  const lines = [`Seconds: ${format.seconds(before.seconds)} → ${format.seconds(node.seconds)}` +
    (before.slower ? ` (${format.change(node.seconds, before.seconds)})` : "")];
  if (has(before.rows_out) && has(node.rows_out))
    lines.push(before.rows_changed ? `Rows: ${format.count(before.rows_out)} → ${format.count(node.rows_out)}` : `Rows: ${format.count(node.rows_out)}, unchanged`);
  if (before.status !== node.status) lines.push(`Status: ${before.status} → ${node.status}`);
  if (before.code_changed) lines.push("The code changed.");
  if (node.plan) lines.push(...(before.plan.length ? before.plan.map(line => `Plan: ${line}`) : ["Plan: the same operators"]));
  body.append(element("h3", {}, "Compared with the run before ", element("span", {class: "soft"}, format.time(before.started))),
    element("ul", {class: "changes"}, lines.map(line => element("li", {}, line))));
}

function planTab(data, node, body) {
  const picture = element("div", {class: "picture", tabindex: "0", role: "region", "aria-label": "Plan"});
  picture.innerHTML = node.plan.svg; // Drawn by penstock, which escapes every text in it.
  const size = element("button", {type: "button", class: "button"});
  const fit = fitted => {
    picture.classList.toggle("fitted", fitted);
    size.textContent = fitted ? "Original size" : "Fit to width";
  };
  size.addEventListener("click", () => fit(!picture.classList.contains("fitted")));
  body.append(...node.plan.warnings.map(text => element("p", {class: "message"}, text)), size, picture);
  const width = Number(picture.firstElementChild.getAttribute("width"));
  size.hidden = width <= picture.clientWidth;
  fit(width < 1.5 * picture.clientWidth); // A wide plan that fits a narrow screen could not be read.
  body.append(element("details", {}, element("summary", {}, "Spark's own text (EXPLAIN FORMATTED)"), element("pre", {}, node.plan.text)));
}

function testsTab(data, node, body) {
  const rows = node.tests.map(id => data.nodes.find(item => item.id === id)).filter(Boolean);
  body.append(element("table", {}, element("tbody", {}, rows.map(test => element("tr", {},
    element("td", {}, link(data, test.id)), element("td", {}, badge(test.status)),
    element("td", {class: "n"}, format.seconds(test.seconds)), element("td", {}, test.message || ""))))));
}

// The columns of a node: those that the project describes, then others that the lineage has. Its names are in lower case.
function columnNames(data, node) {
  const described = Object.keys(node.columns || {}), lower = new Set(described.map(name => name.toLowerCase()));
  return [...described, ...Object.keys(data.lineage[node.id] || {}).filter(name => !lower.has(name))];
}

function columnsTab(data, node, body) {
  const known = data.lineage[node.id] || {};
  const rows = columnNames(data, node).map(name => {
    const place = element("td", {}, (node.columns || {})[name] || "");
    const toggle = event => {
      const shown = place.querySelector(".origin");
      event.currentTarget.setAttribute("aria-expanded", shown ? "false" : "true");
      if (shown) shown.remove();
      else place.append(origins(data, node.id, name.toLowerCase(), new Set()));
    };
    const title = known[name.toLowerCase()] ? element("button", {type: "button", onclick: toggle, "aria-expanded": "false"}, breakable(name)) : element("code", {}, breakable(name));
    return element("tr", {}, element("td", {}, title), place);
  });
  if (Object.keys(known).length) body.append(element("p", {class: "soft"}, "Click a column to see where its values come from."));
  body.append(element("table", {class: "columns"}, element("tbody", {}, rows)));
}

// Return the columns that a column comes from, as nested lists down to the sources.
function origins(data, id, column, seen) {
  const key = `${id} ${column}`, below = new Set([...seen, key]);
  const parents = seen.has(key) ? [] : (data.lineage[id] || {})[column] || [];
  const items = parents.map(([parent, name, kind]) => {
    const table = data.names[parent] || parent;
    const text = !parent ? name : name === "*" ? `rows of ${table}` : `${table}.${name}`;
    return element("li", {}, element("code", {}, breakable(text)), element("span", {class: "soft"}, ` ${kind}`), parent ? origins(data, parent, name, below) : "");
  });
  return items.length ? element("ul", {class: "origin"}, items) : "";
}
