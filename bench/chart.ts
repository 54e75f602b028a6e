/**
 * Charts as small SVG files for light and dark pages.
 *
 * @module
 */

/** A group of points of one color. */
export interface Series {
  readonly name: string;
  /** A value for each row or place; `undefined` where it is missing. */
  readonly values: readonly (number | undefined)[];
}

/** A part of a chart with its own axes. */
export interface Panel {
  readonly title: string;
  /** The names of the rows, or the places on the horizontal axis. */
  readonly places: readonly (string | number)[];
  readonly series: readonly Series[];
}

/** The colors of a light and a dark page: text, grid, then the series. */
const LIGHT = "1f2328 c4c9d0 d1242f 59636e 0969da 8250df 9a6700 1a7f37";
const DARK = "e6edf3 3d444d ff7b72 9198a1 58a6ff bc8cff d29922 3fb950";

/** The symbols of the series, around the origin; the first one stands out. */
const SYMBOLS = [
  "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0z",
  "M-4-4h8v8h-8z",
  "M0-6l6 6-6 6-6-6z",
  "M0-5l5 9h-10z",
  "M-5-2h10v4h-10z",
  "M-2-5h4v10h-4z",
];

const WIDTH = 880;
const COLUMNS = 2;
const COLUMN = WIDTH / COLUMNS;
const TOP = 70;
const ROW = 26;
const PLOT = { left: 100, top: 28, width: COLUMN - 130, bottom: 48 };

/** Panels of rows with a symbol for each series, on logarithmic axes. */
export function drawDots(title: string, panels: readonly Panel[]): string {
  const rows = Math.max(...panels.map(({ places }) => places.length));
  return draw(title, panels, rows * ROW, (panel) => {
    const height = panel.places.length * ROW;
    const axis = logAxis(panel, PLOT.width);
    const yOf = (place: number) => (place + 0.5) * ROW;
    const grid = [
      ...axis.ticks.map(({ at }) => `M${at} 0v${height}`),
      ...panel.places.map((_, place) => `M0 ${yOf(place)}h${PLOT.width}`),
    ].join("");
    const labels = [
      ...axis.ticks.map(({ at, label }) =>
        text(at, height + 18, label, "middle")
      ),
      ...panel.places.map((place, i) =>
        text(-8, yOf(i) + 4, `${place}`, "end")
      ),
    ].join("");
    return `<path class="grid" d="${grid}"/>${labels}${
      marks(panel, (value, place) => [axis.at(value), yOf(place)])
    }`;
  });
}

/** Panels of lines over numbers, on a logarithmic vertical axis. */
export function drawLines(title: string, panels: readonly Panel[]): string {
  const height = 170;
  return draw(title, panels, height, (panel) => {
    const axis = logAxis(panel, height);
    const step = PLOT.width / panel.places.length;
    const point = (value: number, place: number): [number, number] => [
      round((place + 0.5) * step),
      round(height - axis.at(value)),
    ];
    const grid = axis.ticks.map(({ at }) => `M0 ${height - at}h${PLOT.width}`)
      .join("");
    const labels = [
      ...axis.ticks.map(({ at, label }) =>
        text(-8, height - at + 4, label, "end")
      ),
      ...panel.places.map((place, i) =>
        text(
          round((i + 0.5) * step),
          height + 18,
          short(Number(place)),
          "middle",
        )
      ),
    ].join("");
    const lines = panel.series.map(({ values }, i) => {
      const points = values.flatMap((value, place) =>
        value === undefined ? [] : [point(value, place).join(" ")]
      );
      return `<polyline class="s${i}" points="${points.join(" ")}"/>`;
    }).join("");
    return `<path class="grid" d="${grid}"/>${labels}${lines}${
      marks(panel, point)
    }`;
  });
}

function draw(
  title: string,
  panels: readonly Panel[],
  plotHeight: number,
  plot: (panel: Panel) => string,
): string {
  const names = [
    ...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name))),
  ];
  const step = PLOT.top + plotHeight + PLOT.bottom;
  const height = TOP + Math.ceil(panels.length / COLUMNS) * step;
  let legendX = 16;
  const legend = names.map((name, i) => {
    const item = `<use href="#s${i}" class="s${i}" x="${legendX}" y="44"/>` +
      text(legendX + 14, 48, name, "start");
    legendX += 44 + name.length * 7;
    return item;
  }).join("");
  const drawn = panels.map((panel, i) => {
    const x = (i % COLUMNS) * COLUMN;
    const y = TOP + Math.floor(i / COLUMNS) * step;
    // Every panel has the series in the same order, so that colors agree.
    const series = names.map((name) =>
      panel.series.find((it) => it.name === name) ?? { name, values: [] }
    );
    return `<text class="title" x="${x + 8}" y="${y + 12}">${
      escape(panel.title)
    }</text><g transform="translate(${x + PLOT.left} ${y + PLOT.top})">${
      plot({ ...panel, series })
    }</g>`;
  }).join("\n");
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${
    escape(title)
  }">
<style>text{font:12px system-ui,sans-serif}.title{font-weight:bold;font-size:13px}.grid,polyline{fill:none!important}${
    rules(LIGHT)
  }@media(prefers-color-scheme:dark){${rules(DARK)}}</style>
<defs>${
    names.map((_, i) => `<path id="s${i}" d="${symbol(i)}"/>`).join("")
  }</defs>
<text class="title" x="8" y="18">${escape(title)}</text>
${legend}
${drawn}
</svg>
`;
}

function rules(colors: string): string {
  const [ink, faint, ...series] = colors.split(" ");
  return `text{fill:#${ink}}.grid{stroke:#${faint}}` +
    series.map((color, i) => `.s${i}{fill:#${color};stroke:#${color}}`)
      .join("");
}

function symbol(i: number): string {
  return SYMBOLS[i % SYMBOLS.length]!;
}

function marks(
  { series }: Panel,
  point: (value: number, place: number) => [number, number],
): string {
  // The first series comes last, on top of the others.
  return series.map(({ values }, i) => {
    const uses = values.flatMap((value, place) => {
      if (value === undefined) return [];
      const [x, y] = point(value, place);
      return [`<use href="#s${i}" x="${x}" y="${y}"/>`];
    }).join("");
    return uses && `<g class="s${i}">${uses}</g>`;
  }).reverse().join("");
}

/** A logarithmic axis with ticks at powers of ten that enclose the values. */
function logAxis({ series }: Panel, length: number) {
  const logs = series.flatMap(({ values }) => values)
    .filter((value) => value !== undefined).map(Math.log10);
  const low = Math.floor(Math.min(...logs));
  const high = Math.max(Math.ceil(Math.max(...logs)), low + 1);
  const at = (value: number) =>
    round((Math.log10(value) - low) / (high - low) * length);
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => {
    const value = 10 ** (low + i);
    return { at: at(value), label: short(value) };
  });
  return { at, ticks };
}

function text(x: number, y: number, content: string, anchor: string): string {
  const align = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${x}" y="${y}"${align}>${escape(content)}</text>`;
}

function short(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact" }).format(value);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;");
}
