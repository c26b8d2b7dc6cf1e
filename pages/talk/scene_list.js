// The scenes of a talk: drag a row, or move it with Alt and an arrow; Delete removes it. The order is drawn at once and then sent.

const AGAIN_MS = 2000;

class List {
  constructor(list) {
    this.list = list;
  }

  update(data, send) {
    this.send = send;
    if (this.waiting && data.heard < this.asked) return; // what was drawn before the last press
    this.waiting = false;
    this.data = data;
    this.draw();
  }

  ask(more = {}) {
    this.asked = Math.max(Date.now(), (this.asked ?? 0) + 1);
    this.waiting = true;
    const order = this.data.rows.map((row) => row.number);
    this.draw();
    this.tell({ order, selected: this.data.selected, ...more, id: this.asked });
  }

  /** Send a press, again until it is heard: a run that starts at the same moment can swallow it. */
  tell(press, wait = AGAIN_MS) {
    if (press.id !== this.asked || !this.waiting || !this.list.isConnected) return;
    this.send('press', press);
    setTimeout(() => this.tell(press, 2 * wait), wait);
  }

  select(number) {
    this.data.selected = number;
    this.focused = number;
    this.ask();
  }

  /** Put the row ``from`` in the place ``to``, both counted from 0. */
  move(from, to) {
    const { rows } = this.data;
    if (to < 0 || to >= rows.length || from === to) return;
    rows.splice(to, 0, ...rows.splice(from, 1));
    this.select(rows[to].number);
  }

  remove(place) {
    const { rows } = this.data;
    if (rows.length < 2) return;
    const order = rows.map((row) => row.number);
    const [gone] = rows.splice(place, 1);
    this.data.selected = this.focused = rows[Math.min(place, rows.length - 1)].number;
    this.ask({ order, removed: gone.number });
  }

  key(event, place) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step && event.altKey) this.move(place, place + step);
    else if (step && this.data.rows[place + step]) this.select(this.data.rows[place + step].number);
    else if (event.key === 'Delete') this.remove(place);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  button(text, name, answer, off = false) {
    const button = document.createElement('button');
    Object.assign(button, { type: 'button', textContent: text, title: name, disabled: off });
    button.setAttribute('aria-label', name);
    button.onclick = (event) => { event.stopPropagation(); answer(); };
    return button;
  }

  row({ number, title, more }, place, rows) {
    const row = document.createElement('li');
    const part = (name, text) => {
      const span = Object.assign(document.createElement('span'), { className: name });
      if (text) span.textContent = text;
      return span;
    };
    const text = this.button('', '', () => this.select(number));
    text.className = 'text';
    text.removeAttribute('title');
    text.removeAttribute('aria-label');
    text.append(part('title', title), part('more', more));
    if (number === this.data.selected) text.setAttribute('aria-current', 'true');
    text.onkeydown = (event) => this.key(event, place);
    row.append(
      part('number', `⠿ ${place + 1}`), text,
      this.button('↑', 'Move up (Alt ↑)', () => this.move(place, place - 1), place === 0),
      this.button('↓', 'Move down (Alt ↓)', () => this.move(place, place + 1), place === rows.length - 1),
      this.button('✕', 'Remove (Delete)', () => this.remove(place), rows.length < 2),
    );
    row.draggable = true;
    row.classList.toggle('selected', number === this.data.selected);
    row.onclick = () => this.select(number);
    this.drags(row, place);
    return row;
  }

  drags(row, place) {
    const below = (event) => { const box = row.getBoundingClientRect(); return event.clientY > box.top + box.height / 2; };
    const clear = () => row.classList.remove('before', 'after');
    row.ondragstart = (event) => {
      this.dragged = place;
      row.classList.add('dragged');
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', '');
    };
    row.ondragend = () => { this.dragged = undefined; row.classList.remove('dragged'); };
    row.ondragover = (event) => {
      if (this.dragged === undefined) return;
      event.preventDefault();
      row.classList.toggle('after', below(event));
      row.classList.toggle('before', !below(event));
    };
    row.ondragleave = clear;
    row.ondrop = (event) => {
      if (this.dragged === undefined) return;
      event.preventDefault();
      clear();
      const gap = place + (below(event) ? 1 : 0);
      this.move(this.dragged, gap > this.dragged ? gap - 1 : gap);
    };
  }

  draw() {
    const { rows, selected } = this.data;
    this.list.replaceChildren(...rows.map((row, place) => this.row(row, place, rows)));
    const chosen = this.list.children[rows.findIndex((row) => row.number === selected)];
    if (this.focused === selected) chosen?.querySelector('.text').focus();
    chosen?.scrollIntoView({ block: 'nearest' });
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const list = parentElement.querySelector('.talk-list');
  list.rows ??= new List(list);
  list.rows.update(data, setTriggerValue);
}
