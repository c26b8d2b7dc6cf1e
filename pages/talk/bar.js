// The stage's line, its buttons and its keys. A press is answered here at once and then asks the server for what is meant
// ("scene 4, phase 1"), so that quick presses and a press that is sent twice come out right.

const AWAKE_MS = 2500;
const FIRST_AWAKE_MS = 7000;
const AGAIN_MS = 2000;
const LATE_MS = 250;
const AT_WORK = '[data-test-script-state=running]';
const DIGITS_MS = 900; // after the last digit the number is complete
const TYPED = 'input:not([type=range]), textarea, select, [contenteditable=true], [role=combobox]';
const KEYS = {
  PageDown: 'next', ArrowRight: 'next', ArrowDown: 'next', PageUp: 'back', ArrowLeft: 'back', ArrowUp: 'back',
  b: 'blank', '.': 'blank', l: 'ring', o: 'tweak',
};
const WITHIN = { 2: ['Reveal'], 4: ['Close the vote', 'Reveal', 'Show the chart'] }; // what is next within a scene, by its phases
const STEPS = ['next', 'back'];

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

class Bar {
  constructor(root) {
    this.find = (name) => root.querySelector(`.talk-${name}`);
    this.style = document.head.appendChild(document.createElement('style'));
    this.digits = '';
    this.ends = new AbortController();
    const on = (kind, answer) => addEventListener(kind, answer, { capture: true, signal: this.ends.signal });
    on('keydown', (event) => this.key(event));
    on('pointermove', (event) => { this.wake(); this.place(event); });
    on('pointerdown', () => this.wake());
    root.querySelectorAll('.talk-buttons button').forEach((button) => {
      // the focus stays where it was: else a key would press the button too
      button.onpointerdown = (event) => event.preventDefault();
      button.onclick = () => this.does(button.dataset.does);
    });
    this.black = this.find('black');
    this.black.onclick = () => this.does('blank');
    this.timer = setInterval(() => this.tick(), 500);
    this.wake(FIRST_AWAKE_MS);
  }

  end() {
    this.ends.abort();
    this.style.remove();
    clearInterval(this.timer);
    clearTimeout(this.sleep);
    document.body.classList.remove('stage-awake', 'talk-tweak');
  }

  update(data, send) {
    this.send = send;
    if (this.waiting && data.heard < this.asked) return; // what was drawn before the last press
    this.waiting = false;
    this.data = data;
    this.find('line').dataset.at = `${data.number + 1}.${data.phases[data.number][0]}`; // as the server has it
    this.since = performance.now() - 1000 * data.elapsed;
    this.draw();
  }

  /** Ask the server; the number orders presses, also over a reload. */
  ask(press) {
    this.asked = Math.max(Date.now(), (this.asked ?? 0) + 1);
    this.waiting = true;
    this.tell({ ...press, id: this.asked });
    this.draw();
  }

  /** Send a press, again until it is heard: a run that starts at the same moment can swallow it. */
  tell(press, wait = AGAIN_MS) {
    if (!this.isUnheard(press)) return;
    this.send('press', press);
    this.later(press, wait);
  }

  /** Send again after a while, or twice that: a browser that was busy has not read the answer yet, and the server would
   *  begin its run anew. */
  later(press, wait, patient = true) {
    const due = performance.now() + wait;
    setTimeout(() => {
      if (!this.isUnheard(press)) return;
      const busy = performance.now() > due + LATE_MS || document.querySelector(AT_WORK);
      if (patient && busy) this.later(press, wait, false);
      else this.tell(press, 2 * wait);
    }, wait);
  }

  isUnheard(press) {
    return press.id === this.asked && this.waiting && !this.ends.signal.aborted;
  }

  go(number, phase = null) {
    const { data } = this;
    data.number = Math.max(0, Math.min(data.titles.length - 1, number));
    if (phase !== null) data.phases[data.number][0] = phase;
    data.blank = false;
    this.ask({ does: 'go', number: data.number, phase });
  }

  does(what) {
    const { data } = this;
    const [phase, phases] = data.phases[data.number];
    const last = data.number === data.titles.length - 1;
    if (what === 'next' && data.blank) what = 'blank';
    if (what === 'next') {
      if (phase < phases - 1) this.go(data.number, phase + 1);
      else if (!last) this.go(data.number + 1);
    } else if (what === 'back') {
      if (data.number > 0) this.go(data.number - 1);
      else if (phase > 0) this.go(0, 0);
    } else if (what === 'blank') {
      data.blank = !data.blank;
      this.ask({ does: 'blank', blank: data.blank });
    } else if (what === 'clock') {
      this.since = performance.now();
      this.ask({ does: 'clock' });
    } else if (what === 'leave') this.ask({ does: 'leave' });
    else if (what === 'ring') this.ring = !this.ring;
    else if (what === 'tweak') this.tweak();
    this.draw();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const clicker = event.key.startsWith('Page');
    if (!clicker && event.target.closest?.(TYPED)) return;
    if (event.key.startsWith('Arrow') && event.target.closest?.('input, [role=slider], [role=radiogroup], [role=listbox]')) return;
    const what = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!STEPS.includes(what)) this.wake(); // a clicker goes on without the buttons over the chart
    if (/^\d$/.test(event.key)) this.digit(event.key);
    else if (event.key === 'Enter' && this.digits) this.jump();
    else if (what) this.does(what);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  digit(one) {
    this.digits += one;
    clearTimeout(this.waits);
    if (Number(`${this.digits}0`) > this.data.titles.length) this.jump(); // no longer number is a scene
    else this.waits = setTimeout(() => this.jump(), DIGITS_MS);
  }

  jump() {
    clearTimeout(this.waits);
    const number = Number(this.digits);
    this.digits = '';
    if (number >= 1 && number <= this.data.titles.length) this.go(number - 1);
  }

  /** Show the scene's two or three controls over the chart: the first ones that are in view by themselves. */
  tweak() {
    document.body.classList.toggle('talk-tweak');
    const box = document.querySelector('.st-key-controls');
    const own = box ? [...box.children].flatMap((one) => [one, ...one.children]) : [];
    const there = this.data.tweaked.filter((key) => own.some((one) => one.classList.contains(`st-key-${key}`)));
    const hidden = there.slice(0, this.data.most).map((key) => `:not(.st-key-${key}, :has(> .st-key-${key}))`).join('');
    this.style.textContent = `.talk-tweak .st-key-controls > *${hidden} { display: none }`;
  }

  wake(milliseconds = AWAKE_MS) {
    if (milliseconds < (this.until ?? 0) - performance.now()) return;
    this.until = performance.now() + milliseconds;
    document.body.classList.add('stage-awake');
    clearTimeout(this.sleep);
    this.sleep = setTimeout(() => document.body.classList.remove('stage-awake'), milliseconds);
  }

  place({ clientX, clientY }) {
    Object.assign(this.find('ring').style, { left: `${clientX}px`, top: `${clientY}px` });
  }

  draw() {
    const { data } = this;
    this.find('title').textContent = `${data.number + 1} of ${data.titles.length} · ${data.titles[data.number]}`;
    const dots = this.find('dots');
    if (dots.children.length !== data.titles.length) {
      dots.replaceChildren(...data.titles.map((title, number) => {
        const dot = document.createElement('button');
        Object.assign(dot, { type: 'button', title: `${number + 1} · ${title}`, tabIndex: -1, onclick: () => this.go(number) });
        dot.setAttribute('aria-label', dot.title);
        return dot;
      }));
      dots.classList.toggle('many', data.titles.length > 24);
    }
    [...dots.children].forEach((dot, number) => {
      dot.classList.toggle('done', number < data.number);
      if (number === data.number) dot.setAttribute('aria-current', 'step');
      else dot.removeAttribute('aria-current');
    });
    this.black.hidden = !data.blank;
    this.find('ring').hidden = !this.ring;
    const [phase, phases] = data.phases[data.number];
    const pressed = { blank: data.blank, ring: this.ring, tweak: document.body.classList.contains('talk-tweak') };
    this.find('buttons').querySelectorAll('[aria-pressed]').forEach((button) => {
      button.setAttribute('aria-pressed', String(Boolean(pressed[button.dataset.does])));
    });
    this.find('buttons').querySelector('[data-does=next]').textContent = WITHIN[phases]?.[phase] ?? 'Next';
    this.tick();
  }

  tick() {
    if (!this.data) return;
    const seconds = (performance.now() - this.since) / 1000;
    const time = this.find('time');
    time.textContent = `${clock(seconds)} of ${clock(this.data.planned)}`;
    time.classList.toggle('late', seconds > this.data.plannedHere && seconds <= this.data.planned);
    time.classList.toggle('over', seconds > this.data.planned);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement;
  root.bar ??= new Bar(root);
  root.bar.update(data, setTriggerValue);
  return () => { root.bar?.end(); root.bar = undefined; };
}
