// Small comforts on top of pages that work without any script: keys, copying, countdowns, one submit only.
"use strict";

const root = document.documentElement;
root.classList.remove("no-js");

const within = (scope, selector) => Array.from(scope.querySelectorAll(selector));
const typing = (element) => element.closest("input, textarea, select, [contenteditable], dialog") !== null;

// --- colours -------------------------------------------------------------------------------------------------

function chooseTheme(event) {
  const button = event.submitter;
  const form = event.target;
  if (!form.matches("[data-theme-switch]") || !button) return false;
  event.preventDefault();
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${button.value}; path=/; max-age=31536000; samesite=lax${secure}`;
  if (button.value === "system") delete root.dataset.bsTheme;
  else root.dataset.bsTheme = button.value;
  for (const each of within(document, "[data-theme-switch] button")) {
    each.setAttribute("aria-pressed", String(each.value === button.value));
  }
  return true;
}

// --- uploads: how much is sent, on top of a form that works without ---------------------------------------------

function sendWithProgress(event) {
  const form = event.target;
  const place = form.querySelector("[data-upload-progress]");
  if (event.defaultPrevented || !place || !form.reportValidity()) return;
  event.preventDefault();
  const bar = place.querySelector("progress");
  const words = place.querySelector("[role=status]");
  const request = new XMLHttpRequest();
  const button = event.submitter;
  place.hidden = false;
  words.textContent = words.dataset.sending;
  if (button) button.disabled = true;
  request.upload.addEventListener("progress", (sent) => {
    if (sent.lengthComputable) bar.value = Math.round((100 * sent.loaded) / sent.total);
    if (sent.loaded === sent.total) words.textContent = words.dataset.checking;
  });
  request.addEventListener("load", () => {
    // The browser has followed a redirect already, so the page that it led to is shown, message and all.
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = page.title;
    document.body.replaceWith(page.body);
    if (request.responseURL !== location.href) history.pushState(null, "", request.responseURL);
    document.querySelector("[data-focus]")?.focus();
  });
  request.addEventListener("error", () => {
    place.hidden = true;
    if (button) button.disabled = false;
    announce(words.dataset.broken);
    words.textContent = words.dataset.broken;
    place.hidden = false;
  });
  request.open("POST", form.action);
  request.send(new FormData(form));
}

// --- forms: one submit, focus on what went wrong --------------------------------------------------------------

function submitOnce(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.target) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "true";
  // After the browser has collected the values: a disabled button would lose its own.
  setTimeout(() => {
    for (const button of within(form, "button:not([type=button]):not(:disabled)")) {
      button.disabled = true;
      button.dataset.guarded = "true";
    }
    if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
  }, 0);
}

function releaseForms() {
  for (const form of within(document, "form[data-sent]")) delete form.dataset.sent;
  for (const button of within(document, "[data-guarded]")) {
    button.disabled = false;
    button.removeAttribute("aria-busy");
    delete button.dataset.guarded;
  }
}

// --- copying --------------------------------------------------------------------------------------------------

function announce(words) {
  let region = document.getElementById("announcer");
  if (!region) {
    region = document.createElement("div");
    region.id = "announcer";
    region.className = "visually-hidden";
    region.setAttribute("role", "status");
    document.body.append(region);
  }
  region.textContent = words;
}

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    announce("Copying was refused by the browser. Select the text and copy it yourself.");
    return;
  }
  button.classList.add("is-copied");
  announce("Copied");
  setTimeout(() => button.classList.remove("is-copied"), 2000);
}

// --- countdowns -----------------------------------------------------------------------------------------------

function timeLeft(seconds) {
  if (seconds <= 0) return "passed";
  if (seconds < 60) return `${seconds} s left`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes} min ${seconds % 60} s left`;
  if (minutes < 120) return `${minutes} min left`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min left` : `${Math.floor(hours / 24)} days left`;
}

const loadedAt = Date.now();

function updateCountdowns() {
  for (const element of within(document, "[data-deadline]")) {
    const left = element.querySelector("[data-left]");
    // The server's clock counts: the business day may be another than this machine's.
    const now = Date.parse(element.dataset.now) + Date.now() - loadedAt;
    const words = timeLeft(Math.floor((Date.parse(element.dataset.deadline) - now) / 1000));
    if (left && left.textContent !== words) left.textContent = words;
  }
}

// --- keys -----------------------------------------------------------------------------------------------------

const KEYS_OFF = "seedtrust-keys-off";
let goPending = -Infinity;

function keysAllowed() {
  try {
    return localStorage.getItem(KEYS_OFF) === null;
  } catch {
    return true;
  }
}

function keepKeys(on) {
  try {
    if (on) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "1");
  } catch {
    announce("This browser keeps no settings.");
  }
}

function openKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog || dialog.open) return;
  const keySwitch = dialog.querySelector("[data-keys-switch]");
  if (keySwitch) keySwitch.checked = keysAllowed();
  dialog.showModal();
}

function rows() {
  return within(document, "[data-list] tbody tr, [data-list] > [data-row]").filter((row) => row.querySelector("a[href]"));
}

function moveRow(step) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(here + step, 0), all.length - 1);
  all[next].querySelector("a[href]").focus();
}

function selectRow() {
  const row = rows().find((each) => each.contains(document.activeElement));
  const box = row && row.querySelector("input[type=checkbox]");
  if (box) box.click();
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) link.click();
}

const KEYS = {
  "/": () => document.getElementById("global-search")?.focus(),
  "?": openKeys,
  j: () => moveRow(1),
  k: () => moveRow(-1),
  x: selectRow,
  e: () => follow("[data-export]"),
};

function onKey(event) {
  if (event.ctrlKey && event.key === "k" && !event.altKey && !event.metaKey) {
    event.preventDefault();
    KEYS["/"]();
    return;
  }
  if (event.key === "Escape") {
    for (const menu of within(document, "details.menu[open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    return;
  }
  if (event.ctrlKey || event.altKey || event.metaKey || typing(event.target) || !keysAllowed()) return;
  if (event.timeStamp - goPending < 1200 && /^[a-z]$/.test(event.key)) {
    goPending = -Infinity;
    event.preventDefault();
    follow(`[data-go="${event.key}"]`);
    return;
  }
  if (event.key === "g") {
    goPending = event.timeStamp;
    return;
  }
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
}

// --- lists that htmx replaces -----------------------------------------------------------------------------------

function addToken(event) {
  const token = document.querySelector("meta[name=csrf-token]");
  if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token.content;
}

function partialFailed() {
  const region = document.getElementById("flashes");
  if (!region) return;
  const notice = document.createElement("div");
  notice.className = "notice tone-bad";
  notice.textContent = "This list could not be updated and shows what it showed before. Try again.";
  region.replaceChildren(notice);
}

// --- wiring -----------------------------------------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  if (chooseTheme(event)) return;
  sendWithProgress(event);
  submitOnce(event);
});
document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  const target = event.target;
  const copyButton = target.closest("[data-copy]");
  if (copyButton) copy(copyButton);
  if (target.closest("[data-open-keys]")) {
    document.getElementById("account-menu")?.hidePopover();
    openKeys();
  }
  if (target.matches("[data-select-all]")) {
    for (const box of within(target.closest("table"), "tbody input[type=checkbox]:not(:disabled)")) box.checked = target.checked;
  }
  for (const menu of within(document, "details.menu[open]")) {
    if (!menu.contains(target)) menu.open = false;
  }
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-keys-switch]")) keepKeys(event.target.checked);
});
document.addEventListener("htmx:configRequest", addToken);
document.addEventListener("htmx:responseError", partialFailed);
document.addEventListener("htmx:sendError", partialFailed);
window.addEventListener("pageshow", releaseForms);

updateCountdowns();
if (document.querySelector("[data-deadline]")) setInterval(updateCountdowns, 1000);
document.querySelector("[data-focus]")?.focus();
