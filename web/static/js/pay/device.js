/* Where the page was opened, and so which of the ways to pay that exist here leads anywhere from it. */

/** @typedef {{channel: string, provider: "wechat" | "alipay", scan: boolean}} Way */

/** @returns {"wechat" | "alipay" | "phone" | "desktop"} */
export function opened() {
  const agent = navigator.userAgent;
  if (/MicroMessenger/i.test(agent)) return "wechat";
  if (/AlipayClient/i.test(agent)) return "alipay";
  return /Android|iPhone|iPad|Mobile|HarmonyOS/i.test(agent) ? "phone" : "desktop";
}

/** @type {Record<ReturnType<typeof opened>, Way[]>} */
const WAYS = {
  wechat: [{ channel: "wechat_jsapi", provider: "wechat", scan: false }],
  alipay: [{ channel: "alipay_wap", provider: "alipay", scan: false }],
  phone: [
    { channel: "wechat_h5", provider: "wechat", scan: false },
    { channel: "alipay_wap", provider: "alipay", scan: false },
  ],
  desktop: [
    { channel: "wechat_native", provider: "wechat", scan: true },
    { channel: "alipay_precreate", provider: "alipay", scan: true },
  ],
};

/** The ways that lead somewhere, of those that this installation offers. @param {string[]} offered @returns {Way[]} */
export const waysHere = (offered) => WAYS[opened()].filter((way) => offered.includes(way.channel));

/**
 * WeChat's own cashier, over its script's bridge; resolves when it has closed, paid or not.
 * @param {Record<string, string>} bridge
 */
export function askWechat(bridge) {
  return new Promise((resolve) => {
    const invoke = () =>
      /** @type {any} */ (window).WeixinJSBridge.invoke("getBrandWCPayRequest", bridge, resolve);
    if ("WeixinJSBridge" in window) invoke();
    else document.addEventListener("WeixinJSBridgeReady", invoke, { once: true });
  });
}
