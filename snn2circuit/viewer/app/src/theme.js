// Dark and light: the system's choice, unless the user made another one on this machine.

const KEY = "snn2circuit-theme";

/** @param {(dark: boolean) => void} apply called at once and on every change */
export function makeTheme(root, apply) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = recall();
  const dark = () => (chosen === null ? system.matches : chosen === "dark");
  const update = () => {
    root.dataset.theme = dark() ? "dark" : "light";
    apply(dark());
  };
  system.addEventListener("change", update);
  update();
  return {
    dark,
    /** "dark" or "light" if that was asked for, by a click or a link; null where the system decides. */
    get chosen() {
      return chosen;
    },
    /** For this page only. */
    show(theme) {
      chosen = theme;
      update();
    },
    toggle() {
      chosen = dark() ? "light" : "dark";
      remember(chosen);
      update();
    },
  };
}

function recall() {
  try {
    return window.localStorage.getItem(KEY);
  } catch {
    return null; // pages from disk or in a sandbox may have no storage
  }
}

function remember(value) {
  try {
    window.localStorage.setItem(KEY, value);
  } catch {
    // without storage the choice lasts as long as the page
  }
}
