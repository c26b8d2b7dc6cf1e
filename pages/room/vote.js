// The page is loaded again once there is something new to show; a network that fails is tried again.
const SECONDS = 3;
setInterval(async () => {
  try {
    const answer = await fetch(location.pathname + '/state', { cache: 'no-store' });
    if (answer.ok && (await answer.text()) !== document.body.dataset.mark) location.replace(location.pathname);
  } catch {}
}, SECONDS * 1000 * (0.8 + 0.4 * Math.random()));
