// Ask for what changed once a second, and exchange only the parts that did.
"use strict";

const live = document.getElementById("live");
const pulse = document.getElementById("pulse");
let known = new Map();
let tag = "";

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

async function ask() {
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(live.dataset.source, { headers, cache: "no-store" });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      exchange(await answer.text());
    }
    if (answer.status === 200 || answer.status === 304) say("live", "live");
    else say("lost", "the IPS answers with status " + answer.status);
  } catch {
    say("lost", "the IPS does not answer");
  }
  window.setTimeout(ask, document.hidden ? 5000 : 1000);
}

window.setTimeout(ask, 1000);
document.addEventListener("visibilitychange", () => document.hidden || (tag = ""));
