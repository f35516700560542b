// The row of buttons at the top: views, and what is needed often.

import { element, iconButton } from "./dom.js";
import { VIEWS } from "./views.js";

export function toolbar(actions) {
  const views = Object.keys(VIEWS).filter((name) => name !== "iso");
  return element(
    "div",
    { class: "s2c-toolbar", role: "toolbar", "aria-label": "View" },
    element("div", { class: "s2c-card s2c-views" }, ...views.map((name, i) => element("button", { type: "button", title: `Look from the ${name} (${i + 1})`, onclick: () => actions.view(name) }, name[0].toUpperCase() + name.slice(1)))),
    element(
      "div",
      { class: "s2c-card s2c-tools" },
      iconButton("home", "Home view (H)", actions.home),
      iconButton("fit", "Fit (F)", actions.fit),
      iconButton("camera", "Save a picture (S)", actions.screenshot),
      iconButton("theme", "Dark or light (T)", actions.toggleTheme),
      iconButton("full", "Full screen", actions.fullscreen),
      iconButton("help", "Keys and mouse (?)", actions.toggleHelp),
    ),
  );
}
