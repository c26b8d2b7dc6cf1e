// The learner's record in this browser: each section is kept with the time of its last change, and
// the newer of the session's and the browser's is used. Two tabs of one browser thus share a record.

const PLACE = 'data-pipeline-playground learner';
const AGAIN_MS = [2_000, 6_000, 18_000]; // a run that starts at the same moment can swallow what is sent
const timers = new WeakMap(); // of each place on the page where this is drawn

function stored() {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? '{}');
    return found && typeof found === 'object' && !Array.isArray(found) ? found : {};
  } catch {
    return {}; // broken, or the browser keeps nothing for this address
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const stop = () => (timers.get(parentElement) ?? []).forEach(clearTimeout);
  stop(); // what was sent has been heard, or is sent again below
  const kept = stored();
  const newer = (one, other) => one && String(one.at ?? '') > String(other?.at ?? '');
  const here = Object.entries(data.held).filter(([name, one]) => newer(one, kept[name]));
  if (here.length) {
    try {
      localStorage.setItem(PLACE, JSON.stringify({ ...kept, ...Object.fromEntries(here) }));
    } catch (error) {
      console.warn('the record is not kept in this browser', error);
    }
  }
  const there = Object.entries(kept).filter(
    ([name, one]) => newer(one, data.held[name]) && String(one.at) > (data.heard[name] ?? ''),
  );
  if (there.length) {
    const send = () => setTriggerValue('stored', Object.fromEntries(there));
    send();
    timers.set(parentElement, AGAIN_MS.map((after) => setTimeout(send, after)));
  }
  return stop;
}
