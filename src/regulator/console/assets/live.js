'use strict';
// The pages are whole without this file. With it numbers follow as they change, and a button prints.
(() => {
  for (const button of document.querySelectorAll('button[data-print]')) {
    button.hidden = false;
    button.addEventListener('click', () => window.print());
  }
  const places = document.querySelectorAll('[data-live]');
  if (places.length === 0 || !window.EventSource) return;
  const fresh = document.getElementById('fresh');
  const source = new EventSource('/live');
  source.addEventListener('numbers', (event) => {
    const numbers = JSON.parse(event.data);
    let moved = false;
    for (const place of places) {
      const now = String(numbers[place.dataset.live]);
      if (place.textContent !== now) {
        place.textContent = now;
        moved = true;
      }
    }
    if (moved && fresh) fresh.hidden = false;
  });
})();
