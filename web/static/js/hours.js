/* Opening hours in words. Pure. What it cannot word (OpenStreetMap's syntax is large) it shows as it is. */

/** @type {Record<string, [string, string]>} */
const WORDS = {
  "Mo-Su": ["每天", "Every day"],
  Mo: ["周一", "Mon"],
  Tu: ["周二", "Tue"],
  We: ["周三", "Wed"],
  Th: ["周四", "Thu"],
  Fr: ["周五", "Fri"],
  Sa: ["周六", "Sat"],
  Su: ["周日", "Sun"],
  PH: ["法定节假日", "public holidays"],
  off: ["不开放", "closed"],
};
const TOKEN = /Mo-Su|Mo|Tu|We|Th|Fr|Sa|Su|PH|off/g;

/**
 * `Mo-Fr 07:30-21:00; PH off` as "周一至周五 07:30–21:00；法定节假日 不开放".
 * @param {string} hours
 * @param {"zh" | "en"} lang
 */
export function hoursInWords(hours, lang) {
  const rules = hours.split(";").map((rule) => rule.trim()).filter(Boolean);
  if (rules.some((rule) => /[A-Za-z]/.test(rule.replace(TOKEN, "")))) return hours;
  const column = lang === "zh" ? 0 : 1;
  const worded = rules.map((rule) =>
    (/^\d/.test(rule) ? `Mo-Su ${rule}` : rule)
      .replace(TOKEN, (token) => WORDS[token][column])
      .replace(/(\d)-(\d)/g, "$1–$2")
      .replace(/-/g, lang === "zh" ? "至" : " to ")
      .replace(/,\s*/g, lang === "zh" ? "、" : ", "),
  );
  return worded.join(lang === "zh" ? "；" : "; ");
}
