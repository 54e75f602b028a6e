/**
 * Charts as SVG, drawn without a browser, for light and dark pages alike.
 *
 * @module
 */
import * as echarts from "echarts";

/** A group of points of one colour. */
export interface Series {
  readonly name: string;
  /** A value for each row or place; `undefined` where there is none. */
  readonly values: readonly (number | undefined)[];
}

/** A part of a chart with axes of its own. */
export interface Panel {
  readonly title: string;
  /** The names of the rows, or the places on the horizontal axis. */
  readonly places: readonly (string | number)[];
  readonly series: readonly Series[];
}

// Stand-ins which the style sheet of the picture replaces: what is drawn does
// not know whether the page around it is light or dark.
const INK = "#010101";
const FAINT = "#020202";
const COLOURS = ["#030301", "#030302", "#030303", "#030304", "#030305"];

const SYMBOLS = ["circle", "rect", "diamond", "triangle", "roundRect"];

const PLACEHOLDERS = [INK, FAINT, ...COLOURS];
const STYLE = `<style>
${
  rules([
    "#1f2328",
    "#c4c9d0",
    "#d1242f",
    "#59636e",
    "#0969da",
    "#8250df",
    "#9a6700",
  ])
}
@media (prefers-color-scheme: dark) {
${
  rules([
    "#e6edf3",
    "#3d444d",
    "#ff7b72",
    "#9198a1",
    "#58a6ff",
    "#bc8cff",
    "#d29922",
  ])
}
}
</style>`;

function rules(colours: readonly string[]): string {
  return colours.map((colour, i) =>
    `[fill="${PLACEHOLDERS[i]}"]{fill:${colour}}[stroke="${
      PLACEHOLDERS[i]
    }"]{stroke:${colour}}`
  ).join("\n");
}

const WIDTH = 880;
const COLUMNS = 2;
const TOP = 70;
const FONT = "system-ui, sans-serif";

/** Panels of rows with a dot for each series, on logarithmic axes. */
export function drawDots(title: string, panels: Panel[]): string {
  const names = [...new Set(panels.flatMap(({ series }) => namesOf(series)))];
  const row = 26;
  const height = Math.max(...panels.map(({ places }) => places.length)) * row;
  return draw(title, names, panels, height, (panel, i) => ({
    xAxis: valueAxis(i),
    yAxis: {
      ...common(i),
      type: "category" as const,
      data: [...panel.places] as string[],
      inverse: true,
      axisTick: { show: false },
      axisLine: { show: false },
      splitLine: { show: true, lineStyle: { color: FAINT, type: "dotted" } },
    },
    series: panel.series.map((series) => ({
      name: series.name,
      type: "scatter" as const,
      xAxisIndex: i,
      yAxisIndex: i,
      symbolSize: names.indexOf(series.name) === 0 ? 14 : 10,
      z: names.indexOf(series.name) === 0 ? 3 : 2,
      data: series.values.flatMap((value, place) =>
        value === undefined ? [] : [[value, place]]
      ),
    })),
  }));
}

/** Panels of lines over numbers, on logarithmic axes both ways. */
export function drawLines(
  title: string,
  panels: Panel[],
): string {
  const names = [...new Set(panels.flatMap(({ series }) => namesOf(series)))];
  return draw(title, names, panels, 170, (panel, i) => ({
    xAxis: {
      ...common(i),
      type: "category" as const,
      data: panel.places.map((place) => short(Number(place))),
      axisLine: { lineStyle: { color: FAINT } },
    },
    yAxis: valueAxis(i),
    series: panel.series.map((series) => ({
      name: series.name,
      type: "line" as const,
      xAxisIndex: i,
      yAxisIndex: i,
      symbolSize: 7,
      data: series.values.map((value) => value ?? "-"),
    })),
  }));
}

function draw(
  title: string,
  names: string[],
  panels: Panel[],
  panelHeight: number,
  // deno-lint-ignore no-explicit-any
  parts: (panel: Panel, i: number) => { xAxis: any; yAxis: any; series: any[] },
): string {
  const rows = Math.ceil(panels.length / COLUMNS);
  const step = panelHeight + 76;
  const height = TOP + rows * step;
  const width = WIDTH / COLUMNS;
  const drawn = panels.map(parts);
  const chart = echarts.init(null, null, {
    renderer: "svg",
    ssr: true,
    width: WIDTH,
    height,
  });
  const left = (i: number) => (i % COLUMNS) * width;
  const top = (i: number) => TOP + Math.floor(i / COLUMNS) * step;
  chart.setOption({
    animation: false,
    color: COLOURS,
    textStyle: { fontFamily: FONT, color: INK },
    title: [
      { text: title, left: 8, top: 4, textStyle: text(16, "bold") },
      ...panels.map((panel, i) => ({
        text: panel.title,
        left: left(i) + 8,
        top: top(i) - 4,
        textStyle: text(13, "bold"),
      })),
    ],
    legend: {
      top: 32,
      left: 4,
      data: names,
      itemWidth: 16,
      itemGap: 24,
      textStyle: text(13),
      selectedMode: false,
    },
    grid: panels.map((_, i) => ({
      left: left(i) + 100,
      top: top(i) + 28,
      width: width - 130,
      height: panelHeight,
    })),
    xAxis: drawn.map(({ xAxis }) => xAxis),
    yAxis: drawn.map(({ yAxis }) => yAxis),
    series: drawn.flatMap(({ series }) =>
      series.map((it) => {
        const color = COLOURS[names.indexOf(it.name) % COLOURS.length]!;
        return {
          ...it,
          symbol: SYMBOLS[names.indexOf(it.name) % SYMBOLS.length],
          itemStyle: { color, opacity: 1 },
          lineStyle: { color, width: 2 },
        };
      })
    ),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg.replace(/(<svg[^>]*>)/, `$1\n${STYLE}`)
    .replace(/<svg /, `<svg role="img" aria-label="${title}" `);
}

function common(i: number) {
  return {
    gridIndex: i,
    axisLabel: { color: INK, fontFamily: FONT, fontSize: 12 },
  };
}

function valueAxis(i: number) {
  const axis = common(i);
  return {
    ...axis,
    type: "log" as const,
    axisLabel: { ...axis.axisLabel, formatter: short, hideOverlap: true },
    axisLine: { show: false },
    axisTick: { show: false },
    minorSplitLine: { show: false },
    splitLine: { lineStyle: { color: FAINT } },
  };
}

function text(fontSize: number, fontWeight: "bold" | "normal" = "normal") {
  return { color: INK, fontFamily: FONT, fontSize, fontWeight };
}

function short(value: number): string {
  return new Intl.NumberFormat("en", { notation: "compact" }).format(value);
}

function namesOf(series: readonly Series[]): string[] {
  return series.map(({ name }) => name);
}
