/* The map itself: drawn once, then told what has changed. */

import { rememberView, viewInAddress } from "../address.js";
import { computed, effect } from "../lib.js";
import { lang, theme } from "../look.js";
import { boundsOf, gradeOf, positions } from "../lots.js";
import { t } from "../i18n.js";
import { chosen, city, here, loading, lots, shown } from "../state.js";
import { spaces, spacesWanted, watchSpaces } from "../spaces.js";
import { tap, tapped } from "../visits.js";
import { snap, wide } from "../view/panel.js";
import { laid, off, onto, over } from "./basemap.js";
import { images } from "./images.js";
import { Canvas, Credit, LngLatBounds, addStyles } from "./library.js";
import { collection, drawn, outlines, points } from "./shapes.js";
import { SPACES_ZOOM, chosenFilters, styleOf } from "./style.js";

export { basemapStyle } from "./basemap.js";

const CJK = '"PingFang SC", "HarmonyOS Sans SC", "Noto Sans CJK SC", "Noto Sans SC", "Microsoft YaHei", sans-serif';
/** Lots' numbers are drawn again at most this often; a second is what the stream brings. */
const REDRAW_MS = 1_000;
/** Space shapes are fetched a little before they can be seen. */
const FETCH_ZOOM = SPACES_ZOOM - 0.8;

/** What each source of the style holds; the same object for as long as nothing in it has changed. */
const contents = {
  county: computed(() => laid(city.value?.outline ? feature(city.value.outline) : collection([]))),
  context: computed(() => laid(city.value?.context ?? collection([]))),
  spaces: computed(() => laid(drawn(spaces.value))),
  here: computed(() => laid(here.value ? feature({ type: "Point", coordinates: here.value }) : collection([]))),
  // the lots the list shows are the lots the map shows
  lots: computed(() => laid(points(shown.value, "centre"))),
  signs: computed(() => laid(points(shown.value, "sign"))),
};

export class CityMap {
  /** What the sources were last given. @type {Record<string, any>} */
  given = {};

  /** @param {HTMLElement} element @param {any} [base] the style that lies under the town */
  constructor(element, base = null) {
    addStyles();
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    const start = viewInAddress() ?? startingView();
    const style = over(styleOf(tokens(), { english: lang.peek() === "en" }), base);
    for (const [source, data] of Object.entries(contents)) style.sources[source].data = this.given[source] = data.peek();
    this.look = `${theme.peek()} ${lang.peek()}`;
    this.padding = padding();
    this.shapes = shown.peek().map((lot) => lot.shape);
    style.sources.shapes.data = laid(outlines(shown.peek()));
    this.canvas = new Canvas({
      container: element,
      style,
      center: onto(start.centre),
      zoom: start.zoom,
      minZoom: 7,
      maxZoom: 20.5,
      fadeDuration: 0,
      attributionControl: false,
      localIdeographFontFamily: CJK,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      locale: { "Map.Title": t("map.label") },
    });
    /** @type {any} */ (element).map = this.canvas; // for the browser's console and the tests
    this.canvas.touchZoomRotate.disableRotation();
    if (base) this.canvas.addControl(new Credit({ compact: true }), wide.matches ? "bottom-right" : "top-left");
    this.canvas.setPadding(this.padding);
    for (const image of images(tokens())) this.canvas.addImage(image.name, image.data, image.options);
    this.canvas.once("load", () => this.fill());
    this.canvas.on("moveend", () => this.moved());
    this.canvas.on("error", (/** @type {any} */ event) => console.warn("map:", event.error?.message));
    this.listen();
  }

  /** Everything that follows the page's signals, once the style is there. */
  fill() {
    for (const source of /** @type {const} */ (["county", "context", "spaces", "here"])) {
      effect(() => this.give(source, contents[source].value));
    }
    effect(() => {
      shown.value; // read, so that this runs when it changes
      this.redrawSoon();
    });
    watchSpaces((changes) => {
      for (const { id, letter } of changes) this.canvas.setFeatureState({ source: "spaces", id }, { s: letter });
    });
    effect(() => this.mark(chosen.value));
    effect(() => {
      if (tapped.value?.lot !== chosen.value) tapped.value = null; // another lot was opened
      this.canvas.setFilter("chosen-space", ["==", ["get", "code"], tapped.value?.code ?? ""]);
    });
    effect(() => {
      if (this.look !== (this.look = `${theme.value} ${lang.value}`)) this.repaint();
    });
    effect(() => {
      snap.value; // read, so that this runs when the sheet moves
      if (differs(this.padding, padding())) this.canvas.easeTo({ padding: this.padding = padding(), duration: this.ms(220) });
    });
    this.moved();
    this.canvas.on("render", this.sayReady);
  }

  /** Tell, once, that the town and its lots are on the screen. ("idle" may never come: the city is not.) */
  sayReady = () => {
    const drawn = this.drawnAt && ["context", "lots"].every((source) => this.canvas.isSourceLoaded(source));
    if (!drawn || loading.peek() === "loading") return;
    this.canvas.off("render", this.sayReady);
    document.body.dataset.mapReady = "1";
    performance.mark("map");
  };

  listen() {
    const { canvas } = this;
    wide.addEventListener("change", () => canvas.setPadding(this.padding = padding()));
    canvas.on("click", (/** @type {any} */ event) => this.tapped(event));
    for (const layer of ["bubble", "sign"]) {
      canvas.on("mouseenter", layer, () => (canvas.getCanvas().style.cursor = "pointer"));
      canvas.on("mouseleave", layer, () => (canvas.getCanvas().style.cursor = ""));
    }
  }

  /** Lots come in a burst with every tick of the stream; one redraw takes them all. */
  redrawSoon() {
    const wait = Math.max(0, (this.drawnAt ?? 0) + REDRAW_MS - performance.now());
    clearTimeout(this.redrawTimer);
    this.redrawTimer = setTimeout(() => this.redraw(), wait);
  }

  redraw() {
    this.drawnAt = performance.now();
    const visible = shown.peek();
    this.give("lots", contents.lots.value);
    this.give("signs", contents.signs.value);
    const shapes = visible.map((lot) => lot.shape);
    if (shapes.length !== this.shapes.length || shapes.some((shape, n) => shape !== this.shapes[n])) {
      this.shapes = shapes;
      this.give("shapes", laid(outlines(visible)));
    }
    for (const lot of visible) this.canvas.setFeatureState({ source: "shapes", id: lot.number }, { grade: gradeOf(lot) });
    if (!this.placed) this.place(chosen.peek());
    this.canvas.triggerRepaint();
  }

  /** Hand a source its content, unless it has that already. @param {string} source @param {any} data */
  give(source, data) {
    if (this.given[source] === data) return;
    this.given[source] = data;
    /** @type {any} */ (this.canvas.getSource(source)).setData(data);
  }

  /** Another theme or language: only what differs is set, so that nothing is loaded or placed again. */
  repaint() {
    const c = tokens();
    for (const image of images(c)) this.canvas.updateImage(image.name, image.data);
    for (const layer of styleOf(c, { english: lang.peek() === "en" }).layers) {
      if (!this.canvas.getLayer(layer.id)) continue; // a basemap lies there instead
      for (const [name, value] of Object.entries(layer.paint ?? {})) {
        if (differs(this.canvas.getPaintProperty(layer.id, name), value)) this.canvas.setPaintProperty(layer.id, name, value);
      }
      const text = layer.layout?.["text-field"];
      if (text && differs(this.canvas.getLayoutProperty(layer.id, "text-field"), text)) {
        this.canvas.setLayoutProperty(layer.id, "text-field", text);
      }
    }
    this.canvas.getCanvas().setAttribute("aria-label", t("map.label"));
  }

  /** Ring the chosen lot and bring it into view. @param {string | null} id */
  mark(id) {
    for (const [layer, filter] of Object.entries(chosenFilters(id ?? ""))) {
      if (differs(this.canvas.getFilter(layer), filter)) this.canvas.setFilter(layer, filter);
    }
    this.place(id);
  }

  /** @param {string | null} id */
  place(id) {
    const lot = lots.peek().get(id ?? "");
    this.placed = !id || Boolean(lot);
    if (!lot) return;
    const [west, south, east, north] = boundsOf(positions(lot.shape));
    const bounds = new LngLatBounds(onto([west, south]), onto([east, north]));
    const camera = this.canvas.cameraForBounds(bounds, { maxZoom: 17.6, padding: 48 });
    // a place that only counts is a point: its streets around it say more than an empty close-up
    const zoom = lot.shape.type === "Point" ? Math.max(15.6, Math.min(this.canvas.getZoom(), 17)) : Math.max(camera?.zoom ?? 17, 16.2);
    this.canvas.easeTo({ center: bounds.getCenter(), zoom, duration: this.ms(600) });
  }

  /** @param {[number, number]} at @param {number} zoom */
  show(at, zoom) {
    this.canvas.easeTo({ center: onto(at), zoom: Math.max(zoom, this.canvas.getZoom()), duration: this.ms(600) });
  }

  /** Its place on the page was hidden, or has another size. */
  resize() {
    this.canvas.resize();
  }

  /** @param {number} steps */
  zoomBy(steps) {
    this.canvas.easeTo({ zoom: this.canvas.getZoom() + steps, duration: this.ms(200) });
  }

  moved() {
    const { lng, lat } = this.canvas.getCenter();
    if (this.canvas.getZoom() >= FETCH_ZOOM) spacesWanted();
    if (document.body.dataset.mapReady) rememberView({ zoom: this.canvas.getZoom(), centre: off([lng, lat]) });
  }

  /** @param {{point: {x: number, y: number}}} event */
  async tapped({ point }) {
    const reach = 6; // a finger is not a point
    const [found] = this.canvas.queryRenderedFeatures(
      [[point.x - reach, point.y - reach], [point.x + reach, point.y + reach]],
      { layers: ["bubble", "sign", "spaces", "kerb", "site"] },
    );
    if (!found) return;
    if (found.properties.cluster) {
      const source = /** @type {any} */ (this.canvas.getSource("lots"));
      const zoom = await source.getClusterExpansionZoom(found.properties.cluster_id);
      this.show(off(found.geometry.coordinates), Math.min(zoom + 0.2, SPACES_ZOOM));
    } else {
      const { code, lot_id, id } = found.properties;
      chosen.value = lot_id ?? id;
      if (code && lot_id) tap(code, lot_id);
    }
  }

  /** @param {number} duration */
  ms(duration) {
    return this.calm.matches ? 0 : duration;
  }
}

/** @param {any} geometry */
const feature = (geometry) => ({ type: "Feature", geometry, properties: {} });

/** @param {any} a @param {any} b */
const differs = (a, b) => JSON.stringify(a) !== JSON.stringify(b);

/** The part of the map that the panel covers. */
function padding() {
  if (wide.matches) return { top: 0, left: 0, right: 0, bottom: 0 };
  const share = { peek: 0.16, half: 0.48, full: 0.48 }[snap.peek()];
  return { top: 64, left: 0, right: 0, bottom: Math.round(window.innerHeight * share) };
}

function startingView() {
  const frame = city.peek();
  if (frame?.centre) return { centre: frame.centre, zoom: frame.zoom - (wide.matches ? 0 : 0.6) };
  const all = [...lots.peek().values()];
  if (!all.length) return { centre: /** @type {[number, number]} */ ([105, 35]), zoom: 4 };
  const [west, south, east, north] = boundsOf(all.map((lot) => lot.centre));
  return { centre: /** @type {[number, number]} */ ([(west + east) / 2, (south + north) / 2]), zoom: 13 };
}

/** The colours of tokens.css as they are now. */
function tokens() {
  const style = getComputedStyle(document.documentElement);
  const names = [
    "ink", "surface", "link", "free", "few", "full", "unknown", "on-free", "on-few", "on-full", "on-unknown", "few-edge",
    "free-text", "unknown-text", "full-tint", "unknown-tint", "map-land", "map-outside", "map-border", "map-water",
    "map-green", "map-square", "map-street", "map-street-edge", "map-label", "map-water-label", "map-halo", "map-lot",
    "map-lot-edge",
  ];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
