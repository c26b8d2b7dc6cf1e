// Draws the state of the room, asked for once a second; a press is sent with the version it was made for.
const at = (id) => document.getElementById(id);
const path = location.pathname;
let shown = {};
let last = Promise.resolve();
let waiting = 0;
let lost = false;
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

function say(problem) {
  at('problem').textContent = problem;
  at('problem').hidden = !problem;
}

function row(choice, number) {
  const line = document.createElement('label');
  line.className = 'choice';
  const [name, count, hands] = ['span', 'b', 'input'].map((tag) => document.createElement(tag));
  name.textContent = choice;
  Object.assign(hands, { type: 'number', min: 0, max: 10000, name: `hands_${number}`, inputMode: 'numeric' });
  hands.setAttribute('aria-label', `Hands for ${choice}`);
  line.append(name, count, hands);
  return line;
}

function vote(now) {
  at('vote').hidden = !now;
  if (!now) return;
  at('question').textContent = now.question;
  const hands = now.hands.reduce((sum, n) => sum + n, 0);
  const names = { open: 'open', closed: 'closed', revealed: 'revealed', shown: 'revealed' };
  at('count').textContent = `Vote ${names[now.stage]} · phones ${now.phones} · hands ${hands}`;
  if (shown.vote?.id !== now.id) {
    at('rows').replaceChildren(...now.choices.map(row));
    at('rows').querySelectorAll('input').forEach((field, i) => { field.value = now.hands[i] || ''; });
  }
  at('rows').querySelectorAll('b').forEach((count, i) => { count.textContent = now.counts ? now.counts[i] : ''; });
  document.querySelector('[data-stage=closed]').disabled = now.stage !== 'open';
  document.querySelector('[data-stage=revealed]').disabled = !['open', 'closed'].includes(now.stage);
}

function draw(now) {
  for (const id of ['place', 'title', 'note']) at(id).textContent = now[id];
  at('time').textContent = clock(now.elapsed ?? 0);
  at('plan').textContent = `of ${clock(now.planned)} with this scene, ${clock(now.whole)} in all`;
  at('time').classList.toggle('late', now.elapsed > now.planned);
  at('after').textContent = now.next ? `Next: ${now.next}` : 'This is the last scene.';
  if (now.address) at('after').textContent += ` · Phones vote at ${now.address}`;
  at('advance').textContent = now.advance || 'The end';
  at('advance').disabled = !now.advance;
  at('blank').textContent = now.blank ? 'Show' : 'Blank';
  at('lend').hidden = !now.remote.can;
  at('lend_button').textContent = now.remote.lent ? 'Take the remote back' : 'Lend the remote';
  at('code').hidden = !now.remote.lent;
  if (now.remote.can && now.remote.lent && !at('code').src) at('code').src = `${path}/remote`;
  if (!now.remote.lent) at('code').removeAttribute('src');
  vote(now.vote);
  shown = now;
}

async function ask(fields) {
  const options = fields ? { method: 'POST', body: new URLSearchParams(fields) } : { cache: 'no-store' };
  const answer = await fetch(fields ? path : `${path}/state`, options);
  if (!answer.ok) return say(await answer.text());
  draw(await answer.json());
  if (fields || lost) say('');
  lost = false;
}

// One request at a time, in the order of the presses; a poll waits for none.
function send(makeFields) {
  waiting += 1;
  last = last
    .then(() => ask(makeFields?.()))
    .catch(() => { lost = true; say('The server does not answer. It is asked again each second.'); })
    .finally(() => { waiting -= 1; });
}

const press = (id, fields) => at(id).addEventListener('click', () => send(fields));
press('advance', () => ({ do: 'advance', seen: shown.version }));
press('back', () => ({ do: 'back' }));
press('blank', () => ({ do: 'blank', on: shown.blank ? 'no' : 'yes' }));
press('timer', () => ({ do: 'timer' }));
press('lend_button', () => ({ do: 'lend', on: shown.remote.lent ? 'no' : 'yes' }));
document.querySelectorAll('[data-stage]').forEach((button) => button.addEventListener('click', () => send(() => ({ do: 'stage', stage: button.dataset.stage }))));
at('tally').addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(event.target));
  send(() => ({ do: 'tally', ...fields }));
});
addEventListener('keydown', (event) => {
  if (event.target.tagName === 'INPUT') return;
  const button = { PageDown: 'advance', ArrowRight: 'advance', PageUp: 'back', ArrowLeft: 'back', b: 'blank' }[event.key];
  if (button) { event.preventDefault(); at(button).click(); }
});
setInterval(() => waiting || send(), 1000);
send();
