// Draws a page in Chromium as people see it, and says what a browser makes of it, as one line of JSON.
//
//   node browser.mjs CHROMIUM PAGE DIR      DIR gets the pictures and the PDF; a profile is made below it and removed
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [chromium, page, dir] = process.argv.slice(2);
const profile = mkdtempSync(`${dir}/profile-`);
const views = [
  { name: "phone", width: 390, height: 844, mobile: true, scheme: "light" },
  { name: "phone-dark", width: 390, height: 844, mobile: true, scheme: "dark" },
  { name: "desktop", width: 1280, height: 1150, mobile: false, scheme: "light" },
  { name: "dark", width: 1280, height: 900, mobile: false, scheme: "dark" },
  { name: "narrow", width: 320, height: 568, mobile: true, scheme: "light" },
];

const browser = spawn(
  chromium,
  [
    "--headless=shell", "--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-pipe",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND", `--user-data-dir=${profile}`,
  ],
  { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"], env: { ...process.env, HOME: profile, XDG_CACHE_HOME: profile } },
);
let said = "";
browser.stderr.on("data", (data) => (said += data));

// The protocol of DevTools over two pipes: JSON, with a NUL behind each message.
let next = 0;
let rest = "";
const waiting = new Map();
const listeners = [];
browser.stdio[4].setEncoding("utf8");
browser.stdio[4].on("data", (data) => {
  const parts = (rest + data).split("\0");
  rest = parts.pop();
  for (const part of parts) {
    const message = JSON.parse(part);
    if (message.id) {
      const { resolve, reject } = waiting.get(message.id);
      waiting.delete(message.id);
      message.error ? reject(new Error(JSON.stringify(message.error))) : resolve(message.result);
    } else listeners.forEach((listener) => listener(message));
  }
});
const send = (method, params = {}, sessionId = undefined) =>
  new Promise((resolve, reject) => {
    next += 1;
    waiting.set(next, { resolve, reject });
    browser.stdio[3].write(JSON.stringify({ id: next, method, params, sessionId }) + "\0");
  });
const event = (name) =>
  new Promise((resolve) => {
    const listener = (message) => {
      if (message.method !== name) return;
      listeners.splice(listeners.indexOf(listener), 1);
      resolve(message.params);
    };
    listeners.push(listener);
  });

// What is looked at inside of the page.
function probe() {
  const channel = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const colour = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), alpha: parts.length > 3 ? parts[3] : 1 };
  };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const { rgb, alpha } = colour(getComputedStyle(e).backgroundColor);
      if (alpha === 1) return rgb;
    }
    return [255, 255, 255];
  };
  const ratio = (one, other) => {
    const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const contrast = [];
  let lowest = 21;
  let texts = 0;
  const look = (element, style, text) => {
    const found = ratio(colour(style.color).rgb, behind(element));
    texts += 1;
    lowest = Math.min(lowest, found);
    if (found < 4.5) contrast.push(`${found.toFixed(2)} ${element.tagName}.${element.className}: ${text.trim().slice(0, 40)}`);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() && element.getClientRects().length) {
      look(element, getComputedStyle(element), walker.currentNode.data);
    }
  }
  for (const element of document.querySelectorAll("td")) {
    const style = getComputedStyle(element, "::before");
    if (style.content !== "none" && element.getClientRects().length) look(element, style, style.content);
  }
  const all = [...document.querySelectorAll("body *")];
  // What lies in something that is moved by itself makes no page wider.
  const moved = (e) => {
    for (let p = e.parentElement; p; p = p.parentElement) if (["auto", "scroll", "hidden"].includes(getComputedStyle(p).overflowX)) return true;
    return false;
  };
  const shown = (e) => e.getClientRects().length && getComputedStyle(e).position !== "absolute";
  const wide = all.filter((e) => shown(e) && e.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !moved(e));
  // A text that stands letter below letter.
  const direct = (e) => [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.data.trim().length > 4);
  const squeezed = all.filter((e) => {
    const box = e.getBoundingClientRect();
    return shown(e) && direct(e) && getComputedStyle(e).display !== "inline" && box.width < 40 && box.height > 60;
  });
  const inOrder = all.filter((e) => /^H[1-6]$/.test(e.tagName));
  const ids = all.map((e) => e.id).filter(Boolean);
  const tables = [...document.querySelectorAll("table")].map((table) => ({
    caption: table.caption?.textContent ?? "",
    columns: [...table.querySelectorAll("thead th")].map((th) => th.scope),
    rows: [...table.querySelectorAll("tbody tr")].map((tr) => tr.querySelector("th")?.scope ?? ""),
    cells: [...table.querySelectorAll("tbody tr")].map((tr) => tr.children.length),
  }));
  return {
    scroll: document.documentElement.scrollWidth,
    client: document.documentElement.clientWidth,
    height: document.documentElement.scrollHeight,
    wide: wide.map((e) => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}: ${e.textContent.slice(0, 40)}`),
    squeezed: squeezed.map((e) => `${e.tagName}.${e.className}: ${e.textContent.slice(0, 40)}`),
    headings: inOrder.map((e) => Number(e.tagName[1])),
    empty_headings: inOrder.filter((e) => !e.textContent.trim()).length,
    tables,
    contrast,
    lowest,
    texts,
    lang: document.documentElement.lang,
    title: document.title,
    mains: document.querySelectorAll("main").length,
    doubled: ids.filter((id, i) => ids.indexOf(id) !== i),
    broken: [...document.querySelectorAll("a[href^='#']")].filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash),
    labels: [...document.querySelectorAll("[aria-labelledby]")].filter((e) => !document.getElementById(e.getAttribute("aria-labelledby"))).length,
    active: document.querySelectorAll("script, iframe, object, embed, img, link, form").length,
    text: document.body.innerText,
    scheme: getComputedStyle(document.body).backgroundColor,
  };
}

try {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const tell = (method, params) => send(method, params, sessionId);
  const result = { views: {} };
  let requests = [];
  let trouble = [];
  listeners.push(({ method, params }) => {
    if (method === "Network.requestWillBeSent") requests.push(params.request.url);
    if (method === "Log.entryAdded") trouble.push(`${params.entry.level}: ${params.entry.text}`);
    if (method === "Runtime.consoleAPICalled") trouble.push(`${params.type}: ${JSON.stringify(params.args)}`);
    if (method === "Runtime.exceptionThrown") trouble.push(JSON.stringify(params.exceptionDetails));
  });
  for (const domain of ["Page", "Network", "Log", "Runtime"]) await tell(`${domain}.enable`);
  const url = pathToFileURL(page).href;
  for (const { name, width, height, mobile, scheme } of views) {
    requests = [];
    trouble = [];
    await tell("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    await tell("Emulation.setEmulatedMedia", { media: "", features: [{ name: "prefers-color-scheme", value: scheme }] });
    const loaded = event("Page.loadEventFired");
    await tell("Page.navigate", { url });
    await loaded;
    const { result: found, exceptionDetails } = await tell("Runtime.evaluate", { expression: `(${probe})()`, returnByValue: true });
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    const clip = { x: 0, y: 0, width, height: Math.min(found.value.height, 3000), scale: 1 };
    const { data } = await tell("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip });
    writeFileSync(`${dir}/${name}.png`, Buffer.from(data, "base64"));
    // What a person sees without moving the page.
    if (name === "desktop") {
      const { data: first } = await tell("Page.captureScreenshot", { format: "png", clip: { ...clip, height } });
      writeFileSync(`${dir}/first.png`, Buffer.from(first, "base64"));
    }
    const others = requests.filter((other) => other !== url && !other.startsWith("data:"));
    result.views[name] = { ...found.value, requests: others, trouble };
  }
  const { data } = await tell("Page.printToPDF", { printBackground: false, paperWidth: 8.27, paperHeight: 11.69 });
  const pdf = Buffer.from(data, "base64");
  writeFileSync(`${dir}/paper.pdf`, pdf);
  result.pdf = { bytes: pdf.length, pages: (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length };
  console.log(JSON.stringify(result));
} catch (error) {
  console.error(`${error.stack}\n${said}`);
  process.exitCode = 1;
} finally {
  const gone = new Promise((resolve) => browser.once("exit", resolve));
  browser.kill();
  await gone;
  rmSync(profile, { recursive: true, force: true });
}
