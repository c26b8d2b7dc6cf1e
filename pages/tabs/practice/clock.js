// The time left, once a second, without a call to the server.
export default function ({ parentElement, data }) {
  let line = parentElement.querySelector('.clock');
  if (!line) {
    line = document.createElement('div');
    line.className = 'clock';
    line.setAttribute('role', 'timer');
    line.style.cssText = 'font-variant-numeric: tabular-nums; font-size: 1.1rem; font-weight: 600';
    parentElement.appendChild(line);
  }
  const draw = () => {
    const left = Math.round((data.until - Date.now()) / 1000), size = Math.abs(left);
    const text = `${Math.floor(size / 60)}:${String(size % 60).padStart(2, '0')}`;
    line.textContent = left >= 0 ? `${text} left` : `${text} over time`;
  };
  draw();
  const timer = setInterval(draw, 1000);
  return () => clearInterval(timer);
}
