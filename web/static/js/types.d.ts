/* Shapes of the API's answers and of what the pages make of them; read by editors and by `tsc --checkJs` only. */

export type Counts = {
  available: number;
  free: number;
  occupied: number;
  unknown: number;
  closed: number;
};

/** A text in both languages, or one that the API has in a single one. */
export type Words = string | { zh: string; en: string } | null | undefined;

export type Lot = Counts & {
  id: string;
  code: string;
  name: string;
  name_en: string | null;
  kind: "on_street" | "off_street";
  source: "sensors" | "counter" | "feed";
  capacity: number;
  open_now: boolean | null;
  trend: string | null;
  price_summary: Words;
  hour_fen?: number | null;
  heard_at: string | null;
  keys?: string[];
  /** Added here: the feature's small integer, its outline and the points derived from it. */
  number: number;
  shape: Geometry;
  centre: Point;
  sign: Point;
};

export type Point = [number, number];
export type Geometry = { type: string; coordinates: any };
export type Feature = { type: "Feature"; id?: number; geometry: Geometry; properties: Record<string, any> };
export type FeatureCollection = { type: "FeatureCollection"; features: Feature[] };

export type City = {
  name: string;
  name_en?: string | null;
  centre: Point | null;
  zoom: number;
  bounds: [number, number, number, number] | null;
  outline: Geometry | null;
  context: FeatureCollection;
  attribution: string;
};

/** `f`ree, `o`ccupied, `u`nknown, `c`losed. */
export type Letter = "f" | "o" | "u" | "c";
export type Snapshot = { version: number; at: string; spaces_etag: string; states: string };
export type Changes = {
  version: number;
  at: string;
  changes: Partial<Record<Letter, number[]>>;
  lots: Record<string, Counts>;
  spaces_etag?: string;
};

export type Grade = "free" | "few" | "full" | "unknown" | "shut";
export type Sort = "distance" | "free" | "price";
export type Filter = "free" | "accessible" | "charging" | "gratis";

export type FeeLine = { rule: string; from: string; to: string; minutes: number; amount_fen: number; why: Words };
export type Fee = {
  total_fen: number;
  currency: string;
  lines: FeeLine[];
  tariff: { code: string; version: number };
  next_change_at: string | null;
  next_total_fen: number | null;
};

export type Tokens = Record<string, string>;
