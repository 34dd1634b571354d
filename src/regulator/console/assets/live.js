'use strict';
// The pages are whole without this file. With it numbers follow as they change, a page says when it is not of now any more,
// and a button prints.
(() => {
  // Time after which a stream that was refused is asked for again, in milliseconds.
  const AGAIN_MS = 30000;
  for (const button of document.querySelectorAll('button[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }
  const places = document.querySelectorAll('[data-live]');
  const fresh = document.getElementById('fresh');
  if ((places.length === 0 && !fresh) || !window.EventSource) return;
  let first = null;
  const told = (event) => {
    const numbers = JSON.parse(event.data);
    // What came first is what the page was made of, or nearly.
    let moved = first !== null && first !== event.data;
    if (first === null) first = event.data;
    for (const place of places) {
      if (!(place.dataset.live in numbers)) continue;
      const now = String(numbers[place.dataset.live]);
      if (place.textContent !== now) {
        place.textContent = now;
        moved = true;
      }
    }
    if (moved && fresh) fresh.hidden = false;
  };
  const listen = () => {
    const source = new EventSource('/live');
    source.addEventListener('numbers', told);
    // A browser comes back by itself after a line that broke, and not after an answer that was no stream.
    source.addEventListener('error', () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
    });
  };
  listen();
})();
