/* Before the first paint: the remembered theme and language, so that nothing flashes. Classic script, no imports. */

(() => {
  const root = document.documentElement;
  const wants = (() => {
    try {
      return JSON.parse(localStorage.getItem("parking.look") || "{}");
    } catch {
      return {}; // storage may be forbidden or hold something older
    }
  })();
  const dark = wants.theme ? wants.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "dark" : "light";
  if (wants.elder === "yes" && root.hasAttribute("data-may-be-large")) root.dataset.elder = "yes";
  const english = wants.lang ? wants.lang === "en" : !/^zh/i.test(navigator.language || "zh");
  root.lang = root.dataset.lang || (english ? "en" : "zh-CN"); // a page that is worded by the server says so
})();
