// Text and elements: every text from the project enters the page as text, never as HTML.
const byId = id => document.getElementById(id);

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}

const has = value => value !== undefined && value !== null;

const format = {
  count: value => has(value) ? value.toLocaleString("en-US") : "–",
  seconds(value) {
    if (!has(value)) return "–";
    if (value < 0.05) return "0 s";
    if (value < 100) return `${value.toFixed(1)} s`;
    const whole = Math.round(value), hours = Math.floor(whole / 3600), minutes = Math.floor(whole % 3600 / 60);
    return hours ? `${hours} h ${String(minutes).padStart(2, "0")} min` : `${minutes} min ${String(whole % 60).padStart(2, "0")} s`;
  },
  short: value => !has(value) ? "–" : value < 100 ? format.seconds(value) : `${Math.round(value).toLocaleString("en-US")} s`,
  bytes(value) {
    if (!has(value)) return "–";
    const units = ["B", "KiB", "MiB", "GiB", "TiB"];
    let unit = 0;
    while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
    return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
  },
  ratio: value => has(value) ? `${value.toFixed(1)}×` : "–",
  time: text => text ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : "unknown",
  change(now, before) {
    if (!has(now) || !before) return "";
    const share = (now - before) / before;
    return share >= 1 ? `${(now / before).toFixed(1)}×` : `${share >= 0 ? "+" : "−"}${Math.abs(100 * share).toFixed(0)} %`;
  },
};

const FAILED = ["error", "fail", "runtime error"];
const BUILT = ["model", "seed", "snapshot"];
const isTest = node => node.type === "test" || node.type === "unit_test";
const plural = (count, noun) => `${format.count(count)} ${noun}${count === 1 ? "" : "s"}`;
const kindOf = node => [BUILT.includes(node.type) && node.materialized || node.type.replace("_", " "),
  node.language === "python" ? "Python" : ""].filter(Boolean);
// A long name may break after an underscore or a dot.
const breakable = name => name.split(/(?<=[_.])/).flatMap((part, place) => place ? [element("wbr"), part] : [part]);
const badge = status => element("span", {class: `badge ${status.replace(" ", "-")}`}, status);
const total = (nodes, name) => {
  const known = nodes.map(node => node[name]).filter(has);
  return known.length ? known.reduce((sum, value) => sum + value, 0) : undefined;
};
