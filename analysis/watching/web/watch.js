"use strict";

// The atlas stands in a frame, which is replaced when the store has a new commit. What is shown
// stays until the new page is ready, and the new one opens where the old one stood: its address
// ends as the old one's did, and it is scrolled as far.

const LOOK_MILLISECONDS = 1000;
const READY_MILLISECONDS = 100; // between two looks whether a page has drawn its map
const MOST_LOOKS = 100; // then it is shown as it is

const words = document.getElementById("words");
let shown = null;
let commit = null;

async function look() {
  try {
    const answer = await fetch("state.json");
    if (!answer.ok) throw new Error(answer.statusText);
    const state = await answer.json();
    words.textContent = state.words;
    if (state.commit !== commit) {
      commit = state.commit;
      replace();
    }
  } catch {
    words.textContent = "phasesweep watch has ended; what is shown stays as it is";
  }
  setTimeout(look, LOOK_MILLISECONDS);
}

function replace() {
  const coming = document.createElement("iframe");
  coming.title = "Atlas of the store";
  coming.className = shown ? "coming" : "";
  coming.src = "atlas.html" + (shown ? shown.contentWindow.location.hash : "");
  coming.addEventListener("load", () => showWhenReady(coming, MOST_LOOKS));
  document.querySelector("main").append(coming);
}

function showWhenReady(coming, looks) {
  if ("ready" in coming.contentDocument.body.dataset || looks === 0) show(coming);
  else setTimeout(() => showWhenReady(coming, looks - 1), READY_MILLISECONDS);
}

function show(coming) {
  if (shown) {
    coming.contentWindow.scrollTo(0, shown.contentWindow.scrollY);
    shown.remove();
  }
  coming.className = "";
  shown = coming;
}

look();
