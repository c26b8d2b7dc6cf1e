// The chart of a page: Plotly.react on one element that stays, so that a tweak moves marks instead
// of building the chart again. The title is HTML, which wraps; sizes come from the window.

const TRANSITION_MS = 150;
const MOST_MOVING_MARKS = 400; // more would take longer than the transition
const MANY_MARKS = 600; // as shapes of their own these take longer than a whole tweak: drawn by WebGL
const LEAST_HEIGHT = 240;
const BELOW = 10; // pixels left free under the chart in the window
const STAGE_LINE = 44; // pixels that the scene's line takes on stage
const STAGE_FONT = 21;
const NARROW = 640;
const DATES = { dayMonth: '%-d %b', dayMonthYear: '%-d %b %Y' }; // on an axis, as in all texts

function loadPlotly(address) {
  window.playgroundPlotly ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = address;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => { window.playgroundPlotly = undefined; reject(new Error('chart library')); };
    document.head.append(script);
  });
  return window.playgroundPlotly;
}

/** A colour of the theme as rgba with the given opacity. */
function shade(color, opacity) {
  const context = document.createElement('canvas').getContext('2d');
  context.fillStyle = color;
  const hex = context.fillStyle;
  if (!hex.startsWith('#')) return color;
  const part = (at) => parseInt(hex.slice(at, at + 2), 16);
  return `rgba(${part(1)}, ${part(3)}, ${part(5)}, ${opacity})`;
}

/** Text with **bold** and `code` as nodes; no markup of the text is ever followed. */
function fillTitle(element, text) {
  element.replaceChildren();
  text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).forEach((part) => {
    const tag = part.startsWith('**') ? 'strong' : part.startsWith('`') ? 'code' : '';
    if (!tag) return element.append(part);
    const inner = document.createElement(tag);
    inner.textContent = tag === 'strong' ? part.slice(2, -2) : part.slice(1, -1);
    element.append(inner);
  });
}

/** How large the page's texts are in relation to the usual: on a talk's stage they grow with the window. */
const textScale = () => parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
const plain = (text) => text.replace(/\*\*|`/g, '');

class Chart {
  constructor(root) {
    this.root = root;
    this.plot = root.querySelector('.chart-plot');
    this.title = root.querySelector('.chart-title');
    this.scroller = root.closest('[data-testid="stMain"]') ?? document.scrollingElement;
    this.busy = Promise.resolve();
    this.refit = () => this.queue(() => this.fit());
    this.observer = new ResizeObserver(this.refit);
    // what is above the chart may come and go: then the chart moves, and what holds it changes its height
    const around = ['[data-testid="stVerticalBlock"]', '[data-testid="stMainBlockContainer"]'];
    [root, ...around.map((place) => root.closest(place))].filter(Boolean)
      .forEach((element) => this.observer.observe(element));
    addEventListener('resize', this.refit);
    document.addEventListener('fullscreenchange', this.refit);
    const answers = {
      reset: () => this.draw(), svg: () => this.save('svg'), png: () => this.save('png'),
      full: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen()),
    };
    root.querySelectorAll('button').forEach((button) => {
      button.onclick = () => this.queue(answers[button.dataset.does]);
    });
  }

  queue(step) {
    this.busy = this.busy.then(() => this.ended || step()).catch((error) => console.error(error));
    return this.busy;
  }

  update(data, report) {
    this.report = report;
    this.latest = data;
    this.queue(async () => {
      this.Plotly = await loadPlotly(data.library);
      if (this.ended || data !== this.latest) return; // left meanwhile, or a later one waits
      this.data = data;
      this.root.classList.toggle('stage', data.stage);
      this.root.classList.toggle('first', data.first);
      this.root.style.setProperty('--stage-size', data.size);
      fillTitle(this.title, data.title);
      this.title.hidden = !data.title;
      this.plot.setAttribute('aria-label', `${plain(data.title)}. ${data.alt}`);
      await this.draw();
    });
  }

  /** Pixels: the figure's own height, or what the window leaves when it is less (the first chart). */
  height() {
    const own = this.own;
    if (document.fullscreenElement === this.root) return innerHeight - this.title.offsetHeight - 24;
    const top = this.plot.getBoundingClientRect().top + (this.scroller?.scrollTop ?? 0);
    if (this.data.stage) return Math.max(LEAST_HEIGHT, innerHeight - top - STAGE_LINE * textScale());
    if (!this.data.first) return own;
    const most = innerWidth <= NARROW ? innerHeight * 0.42 : innerHeight - top - BELOW;
    return Math.round(Math.max(LEAST_HEIGHT, Math.min(own, most)));
  }

  /** The figure's layout with the theme, without its title, sized for where it is drawn. */
  layout(figure) {
    const style = getComputedStyle(this.root);
    const text = style.getPropertyValue('--st-text-color') || '#31333f';
    const ground = style.getPropertyValue('--st-background-color') || '#ffffff';
    const layout = figure.layout;
    this.scale = textScale();
    const size = this.data.stage ? STAGE_FONT * this.data.size * this.scale : innerWidth <= NARROW ? 12 : 13;
    const axis = {
      gridcolor: shade(text, 0.12), zerolinecolor: shade(text, 0.25), linecolor: shade(text, 0.25),
    };
    const scale = size / 13;
    const look = (layout.template ??= {}).layout ??= {};
    look.font = { ...look.font, family: style.fontFamily, size, color: text };
    for (const name of ['xaxis', 'yaxis']) {
      look[name] = { ...look[name], ...axis, title: { ...look[name]?.title, font: { size } } };
    }
    look.hoverlabel = {
      ...look.hoverlabel, bgcolor: ground, bordercolor: shade(text, 0.3),
      font: { color: text, size: Math.max(13, size - 4) },
    };
    (layout.annotations ?? []).forEach((note) => {
      if (note.font?.size) note.font.size = Math.round(note.font.size * scale);
    });
    delete layout.title;
    this.own = layout.height || 420;
    const margin = { ...look.margin, ...layout.margin };
    for (const side of ['l', 'r', 'b']) if (side in margin) margin[side] *= this.scale;
    const top = layout.meta?.top; // for texts of the usual stage
    layout.margin = { ...margin, t: top === undefined ? above(layout) * scale : top * this.scale };
    if (layout.meta?.bottom) layout.margin.b = layout.meta.bottom * scale;
    layout.width = this.root.clientWidth;
    layout.height = this.height();
    layout.dragmode = matchMedia('(pointer: coarse)').matches ? false : layout.dragmode;
    return layout;
  }

  async draw() {
    const figure = JSON.parse(this.data.figure);
    const layout = this.layout(figure);
    // a transition moves marks only: a new theme or size is drawn without one
    const look = JSON.stringify([layout.template.layout.font, layout.width, layout.height]);
    const moves = this.corresponds(figure.data) && look === this.look
      && !matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.look = look;
    drawManyByWebGL(figure.data);
    layout.transition = moves ? { duration: TRANSITION_MS, easing: 'cubic-in-out' } : undefined;
    await this.Plotly.react(this.plot, figure.data, layout, {
      displayModeBar: false, displaylogo: false, showSendToCloud: false, plotlyServerURL: '',
      responsive: false, locale: 'day-first', locales: { 'day-first': { format: DATES } },
    });
    if (this.framed) await this.Plotly.deleteFrames(this.plot);
    this.framed = (figure.frames ?? []).length > 0;
    if (this.framed) await this.Plotly.addFrames(this.plot, figure.frames);
    this.listen();
    this.root.dataset.drawn = String(Number(this.root.dataset.drawn ?? 0) + 1);
    this.fit(); // what is above may have moved
  }

  /** Whether each mark of the new traces has one before it: same traces, same number of points. */
  corresponds(traces) {
    const shape = traces.map((trace) => [trace.type, trace.mode, trace.orientation, count(trace)]);
    const before = this.shape;
    this.shape = JSON.stringify(shape);
    const marks = shape.reduce((sum, part) => sum + part[3], 0);
    const movable = shape.every(([type]) => type === 'bar' || type === 'scatter' || !type);
    return movable && marks <= MOST_MOVING_MARKS && before === this.shape;
  }

  listen() {
    if (this.listening || !this.data.clickable) return;
    this.listening = true;
    this.plot.on('plotly_click', ({ points }) => this.report('clicked', points.map((point) => ({
      curve_number: point.curveNumber, point_number: point.pointNumber ?? null, x: point.x ?? null,
      y: point.y ?? null, id: point.id ?? null, label: point.label ?? null,
      customdata: point.customdata ?? null,
    }))));
  }

  async fit() {
    if (!this.Plotly || !this.data || !this.root.isConnected || !this.root.clientWidth) return;
    if (this.data.stage && this.scale !== textScale()) {
      await this.draw();
      return;
    }
    const [width, height] = [this.root.clientWidth, this.height()];
    const layout = this.plot.layout;
    if (!layout || (Math.abs(layout.width - width) < 2 && Math.abs(layout.height - height) < 3)) return;
    await this.Plotly.relayout(this.plot, { width, height });
  }

  /** Save the figure as a file, with its title in lines and the theme's background. */
  save(format) {
    const style = getComputedStyle(this.root);
    const [width, height] = [this.plot.layout.width, this.plot.layout.height];
    const lines = wrap(plain(this.data.title), Math.floor(width / 9));
    const top = 16 + 24 * lines.length;
    const layout = {
      ...this.plot.layout, height: height + top, paper_bgcolor: style.getPropertyValue('--st-background-color'),
      title: { text: lines.join('<br>'), x: 0.01, xanchor: 'left', y: 1, yanchor: 'top', pad: { t: 16 } },
      margin: { ...this.plot.layout.margin, t: this.plot.layout.margin.t + top },
    };
    return this.Plotly.downloadImage(
      { data: this.plot.data, layout },
      { format, filename: this.data.name, width, height: height + top, scale: format === 'png' ? 2 : 1 },
    );
  }

  end() {
    this.ended = true;
    this.observer.disconnect();
    removeEventListener('resize', this.refit);
    document.removeEventListener('fullscreenchange', this.refit);
    this.Plotly?.purge(this.plot);
  }
}

/** Let WebGL draw the traces of many points, where the browser has it; the few stay above them as shapes. */
function drawManyByWebGL(traces) {
  const points = traces.filter(({ type, mode }) => (type ?? 'scatter') === 'scatter' && mode === 'markers');
  if (points.reduce((sum, trace) => sum + count(trace), 0) < MANY_MARKS) return;
  window.playgroundWebGL ??= document.createElement('canvas').getContext('webgl') ? 'scattergl' : 'scatter';
  points.filter((trace) => count(trace) > MANY_MARKS / 10).forEach((trace) => { trace.type = window.playgroundWebGL; });
}

/** Pixels above the plot: room for notes that are written over it, else for half a tick label. */
function above(layout) {
  const over = (note) => note.yref === 'paper' && note.y >= 1 && note.yanchor === 'bottom';
  return (layout.annotations ?? []).some(over) ? 26 : 12;
}

function count(trace) {
  const values = trace.x ?? trace.y;
  if (Array.isArray(values)) return values.length;
  // base64 holds 3 bytes in 4 characters; a type's name ends in its bytes: f8, i2
  return values?.bdata ? Math.floor((values.bdata.length * 0.75) / Number(values.dtype.slice(1))) : 0;
}

function wrap(text, width) {
  const lines = [''];
  text.split(' ').forEach((word) => {
    if (`${lines.at(-1)} ${word}`.length > width) lines.push(word);
    else lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
  });
  return lines;
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.chart');
  root.chart ??= new Chart(root);
  root.chart.update(data, setTriggerValue);
  return () => { root.chart?.end(); root.chart = undefined; };
}
