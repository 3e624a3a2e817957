// Ask for what changed: the IPS answers as soon as something did. Exchange only the parts that are different.
"use strict";

const live = document.getElementById("live");
const pulse = document.getElementById("pulse");
const GAP = 300; // milliseconds between an answer and the next question, while a machine says much
let known = new Map();
let tag = "";
let revision = live.dataset.revision;

function parts(root) {
  return Array.from(root.children).filter((part) => part.id);
}

function exchange(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").body;
  const next = new Map();
  let place = null;
  for (const part of parts(fresh)) {
    next.set(part.id, part.outerHTML);
    let shown = document.getElementById(part.id);
    if (!shown || known.get(part.id) !== part.outerHTML) {
      const made = document.importNode(part, true);
      if (shown) shown.replaceWith(made);
      shown = made;
    }
    const wanted = place ? place.nextElementSibling : live.firstElementChild;
    if (wanted !== shown) live.insertBefore(shown, wanted);
    place = shown;
  }
  for (const part of parts(live)) if (!next.has(part.id)) part.remove();
  known = next;
}

function say(state, words) {
  pulse.hidden = false;
  pulse.className = "pulse " + state;
  pulse.textContent = words;
}

async function ask(seconds) {
  let pause = 1000;
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const question = new URLSearchParams({ wait: seconds, revision });
    const answer = await fetch(live.dataset.source + "?" + question, { headers, cache: "no-store" });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      exchange(await answer.text());
    }
    if (answer.status === 200 || answer.status === 304) {
      revision = answer.headers.get("X-Hps-Revision") || revision;
      pause = Number(answer.headers.get("X-Hps-Pause")) * 1000 || GAP;
      say("live", "live");
    } else say("lost", "the IPS answers with status " + answer.status);
  } catch {
    say("lost", "the IPS does not answer");
  }
  window.setTimeout(ask, document.hidden ? 5000 : pause, live.dataset.wait);
}

ask(0);
document.addEventListener("visibilitychange", () => document.hidden || (tag = ""));
