// What a phone with a script does beyond one without: it remembers the choice, asks anew once a
// minute, and takes an answer back that has run out. Written for browsers of 2015: the build
// refuses what it can't bring down to ES5, so there is `var`, and XMLHttpRequest.

import { offerPush } from "./push.ts";

var POLL_MS = 60000;
var TICK_MS = 5000;
var SOON_MS = 20000;
var WAIT_MS = 20000;
var DRIFT_MS = 90000;
var MINUTE_MS = 60000;
var HOUR_MS = 3600000;
var REMEMBERED = "songtien.farm";

var body = document.body;
var ages = (body.getAttribute("data-ages") || "|||").split("|");

/** Private windows and full disks refuse it, and everything works without. */
function kept(): Storage | null {
  try {
    var found = window.localStorage;
    found.setItem(REMEMBERED + ".try", "1");
    found.removeItem(REMEMBERED + ".try");
    return found;
  } catch (refused) {
    return null;
  }
}

function all(selector: string): HTMLElement[] {
  return Array.prototype.slice.call(document.querySelectorAll(selector));
}

function byId(id: string): HTMLElement | null {
  return document.getElementById(id);
}

function two(n: number): string {
  return (n < 10 ? "0" : "") + n;
}

/** Vietnam's time, whatever zone the phone believes it is in. */
function clock(ms: number): string {
  var at = new Date(ms + 7 * HOUR_MS);
  return two(at.getUTCHours()) + ":" + two(at.getUTCMinutes());
}

/** By the same rule as the server's `api/farmpage/say.py`. */
function age(ms: number): string {
  var word = ages[0] || "";
  var n = 0;
  if (ms >= 48 * HOUR_MS) {
    word = ages[3] || "";
    n = Math.floor(ms / (24 * HOUR_MS));
  } else if (ms >= HOUR_MS) {
    word = ages[2] || "";
    n = Math.floor(ms / HOUR_MS);
  } else if (ms >= MINUTE_MS) {
    word = ages[1] || "";
    n = Math.floor(ms / MINUTE_MS);
  }
  return word.replace("{}", String(n));
}

/** The server's time, at least: of several ways to tell it the latest. A page that was brought
 * back from a sleeping tab knows by the phone's clock alone that it is old. */
function telling(loadedMs: number): { now: () => number; heard: (ms: number) => void } {
  var started = Date.now();
  var running = performance.now();
  var offset = 0;
  var base = loadedMs;
  return {
    now: function () {
      return Math.max(Date.now() + offset, base + performance.now() - running);
    },
    heard: function (ms: number) {
      started = Date.now();
      offset = ms - started;
      base = ms;
      running = performance.now();
    },
  };
}

function watch(from: string): void {
  var loaded = Number((byId("now") as HTMLElement).getAttribute("data-now"));
  var time = telling(loaded);
  var heardMs = loaded;
  var triedMs = loaded;
  var tag = "";
  var asking = false;
  var failing = false;

  function draw(): void {
    var now = time.now();
    var answer = byId("answer");
    var spent = byId("spent");
    var until = answer ? Number(answer.getAttribute("data-until") || 0) : 0;
    if (answer && spent && until) {
      var over = now > until;
      answer.hidden = over;
      spent.hidden = !over;
      (byId("now") as HTMLElement).className = over ? "spent" : "";
    }
    all("time.age").forEach(function (each) {
      each.textContent = age(Math.max(0, now - Number(each.getAttribute("data-t"))));
    });
    all("time.at").forEach(function (each) {
      each.textContent = clock(heardMs);
    });
    var offline = byId("offline") as HTMLElement;
    offline.hidden = !failing;
    (offline.querySelector("time") as HTMLElement).textContent = clock(heardMs);
  }

  function failed(): void {
    asking = false;
    failing = true;
    draw();
  }

  function ask(): void {
    if (asking) return;
    asking = true;
    triedMs = time.now();
    var request = new XMLHttpRequest();
    request.open("GET", from);
    request.timeout = WAIT_MS;
    if (tag) request.setRequestHeader("If-None-Match", tag);
    request.onerror = request.ontimeout = request.onabort = failed;
    request.onload = function () {
      var told = Number(request.getResponseHeader("Songtien-Now"));
      if (request.status === 422) return location.reload();
      if ((request.status !== 200 && request.status !== 304) || !told) return failed();
      asking = failing = false;
      if (request.status === 200) {
        tag = request.getResponseHeader("ETag") || "";
        (byId("now") as HTMLElement).outerHTML = request.responseText;
      }
      time.heard(told);
      heardMs = told;
      draw();
    };
    request.send();
  }

  function look(): void {
    draw();
    // Of a page that nobody looks at nothing is asked: it is asked once it is looked at again.
    var late = time.now() - triedMs;
    if (!document.hidden && late >= (failing ? SOON_MS : POLL_MS)) ask();
  }

  window.addEventListener("online", ask);
  window.addEventListener("offline", failed);
  window.addEventListener("pageshow", look);
  document.addEventListener("visibilitychange", look);
  setInterval(look, TICK_MS);
  if (Math.abs(Date.now() - loaded) > DRIFT_MS) ask();
  draw();
}

function begin(): void {
  var page = body.getAttribute("data-page");
  var query = body.getAttribute("data-query");
  var storage = kept();
  if (storage) {
    if (page === "now" && query) storage.setItem(REMEMBERED, query);
    if (page === "wrong") storage.removeItem(REMEMBERED);
    var before = storage.getItem(REMEMBERED);
    if (page === "choose" && before && !location.search) return location.replace("?" + before);
    all(".js").forEach(function (each) {
      each.hidden = false;
    });
  }
  all(".push").forEach(offerPush);
  var from = body.getAttribute("data-from");
  if (page === "now" && from) watch(from);
}

begin();
